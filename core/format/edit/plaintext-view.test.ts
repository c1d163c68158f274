import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { CofferError } from '../../errors.ts';
import type { Manifest, ManifestFile } from '../manifest/manifest.ts';
import { readManifestFile } from '../manifest/read-manifest.ts';
import { plaintextView, restoreSealed } from './plaintext-view.ts';

const DATA_KEY = 'A'.repeat(32);
const STANZA = `${'0'.repeat(32)}:${'A'.repeat(1558)}`;

/** Well-formed sealed text, which nobody needs to open here: what was opened is given to the view. */
function sealed(number: number): string {
  return `CF[1:${DATA_KEY}:${String(number).padStart(96, 'A')}]`;
}

function yaml(entries: readonly string[], end = '\n'): string {
  return (
    [
      '# kept',
      'apiVersion: coffer.dev/v1',
      'kind: EncryptedSecret',
      'metadata: {name: db, namespace: payments}',
      'spec:',
      '  recipients: [production]',
      '  readers: []',
      '  data:',
      ...entries.map((entry, index) => `    ${entry}: ${sealed(index)}`),
      '  keys:',
      `    # ${entries[0]}`,
      `    "${DATA_KEY}":`,
      `      production: "${STANZA}"`,
      ...entries.slice(1).map((entry) => `    # ${entry}`),
    ].join('\n') + end
  );
}

function json(entries: readonly string[]): string {
  const spec = {
    recipients: ['production'],
    readers: [],
    data: Object.fromEntries(entries.map((entry, index) => [entry, sealed(index)])),
    keys: { [DATA_KEY]: { production: STANZA } },
  };
  const metadata = { name: 'db', namespace: 'payments' };
  return JSON.stringify({ apiVersion: 'coffer.dev/v1', kind: 'EncryptedSecret', metadata, spec }, null, 2);
}

const read = (text: string): ManifestFile => readManifestFile(Buffer.from(text), 'db.yaml');

function only(file: ManifestFile): Manifest {
  const [manifest] = file.manifests;
  assert.ok(manifest);
  return manifest;
}

function opened(file: ManifestFile, values: readonly Uint8Array[]): Map<Manifest, Map<string, Uint8Array>> {
  const names = [...only(file).entries.keys()];
  return new Map([[only(file), new Map(values.map((value, index) => [names[index] ?? '', value]))]]);
}

const names = ['password', 'username', 'ca.crt'];
const layouts: [string, string][] = [
  ['YAML', yaml(names)],
  ['YAML without a final line end', yaml(names, '')],
  ['YAML with CRLF', yaml(names).replaceAll('\n', '\r\n')],
  [
    'YAML in flow style',
    yaml(names).replace(
      / {2}data:\n(?: {4}.*\n)+/,
      `  data: {${names.map((name, i) => `${name}: "${sealed(i)}"`).join(', ')}}\n`,
    ),
  ],
  ['JSON', json(names)],
];

const values = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => new Uint8Array(Buffer.from(text))),
    fc.array(fc.string({ maxLength: 12 })).map((lines) => new Uint8Array(Buffer.from(lines.join('\n')))),
    fc
      .constantFrom(
        'CF[1:x]',
        'EJ[1:',
        ' ',
        '\n',
        'a\n',
        'a\nb\n',
        'a\nb',
        '|',
        '# a',
        'a: b',
        '\ufeff',
        '\u2028',
        '\u0085',
      )
      .map((text) => new Uint8Array(Buffer.from(text))),
  ),
  { minLength: names.length, maxLength: names.length },
);

describe('the plaintext view of a file', () => {
  for (const [layout, text] of layouts) {
    test(`reads as the values that were opened, and goes back to the same bytes: ${layout}`, () => {
      fc.assert(
        fc.property(values, (plaintexts) => {
          const file = read(text);
          const known = opened(file, plaintexts);
          const view = plaintextView(file, known, { stanzas: 'marked' });
          const hidden = new Set(view.stillSealed.map(({ entry }) => entry));
          for (const [name, entry] of only(read(view.text)).entries) {
            if (hidden.has(name)) assert.equal(entry.kind, 'sealed');
            else
              assert.deepEqual(
                entry.kind === 'plaintext' && new Uint8Array(entry.bytes),
                known.get(only(file))?.get(name),
              );
          }
          assert.equal(restoreSealed(file, known, view.text, read).text, text);
        }),
        { numRuns: 200 },
      );
    });
  }

  test('shows no stanza in YAML, and none at all when they are left out', () => {
    const file = read(yaml(names));
    const known = opened(
      file,
      names.map((name) => Buffer.from(name)),
    );
    assert.doesNotMatch(plaintextView(file, known, { stanzas: 'marked' }).text, /AAAAAAAA/);
    const left = plaintextView(file, known, { stanzas: 'left out' }).text;
    assert.equal(
      left,
      yaml(names)
        .replace(/ {2}keys:[\s\S]*$/, '')
        .replace(/CF\[.*A0\]/, '"password"')
        .replace(/CF\[.*A1\]/, '"username"')
        .replace(/CF\[.*A2\]/, '"ca.crt"'),
    );
    assert.match(plaintextView(read(json(names)), new Map(), { stanzas: 'left out' }).text, /"keys": \{\}/);
  });

  test('leaves only what was changed in plaintext', () => {
    const file = read(yaml(names));
    const known = opened(
      file,
      names.map((name) => Buffer.from(name)),
    );
    const shown = plaintextView(file, known, { stanzas: 'marked' }).text;
    const edited = shown.replace('"username"', 'changed').replace('# kept', '# new comment');
    const after = restoreSealed(file, known, edited, read);
    assert.equal(after.text, yaml(names).replace(sealed(1), 'changed').replace('# kept', '# new comment'));
  });

  const refused: [string, string, (shown: string) => string][] = [
    ['EDIT_STANZAS_LOST', 'the mark of the stanzas is gone', (shown) => shown.replace(/ {2}# coffer: .*\n/, '')],
    ['EDIT_SEALED_MOVED', 'a value that stayed sealed has a new entry', (shown) => shown.replace('ca.crt:', 'moved:')],
    [
      'EDIT_SEALED_MOVED',
      'a value that stayed sealed has a new name',
      (shown) => shown.replace('name: db', 'name: other'),
    ],
    [
      'EDIT_RECIPIENTS',
      'values stay sealed and a recipient is added',
      (shown) => shown.replace('[production]', '[production, staging]'),
    ],
    [
      'EDIT_RECIPIENTS',
      'values stay sealed and a recipient is replaced',
      (shown) => shown.replace('[production]', '[staging]').replace('"one"', '"changed"'),
    ],
  ];
  for (const [code, what, edit] of refused) {
    test(`refuses an edit where ${what}`, () => {
      const file = read(yaml(names));
      const known = opened(file, [Buffer.from('one'), Buffer.from('two')]);
      const { text, stillSealed } = plaintextView(file, known, { stanzas: 'marked' });
      assert.deepEqual(
        stillSealed.map(({ entry }) => entry),
        ['ca.crt'],
      );
      assert.throws(
        () => restoreSealed(file, known, edit(text), read),
        (error) => error instanceof CofferError && error.code === code,
      );
    });
  }

  test('may change the recipients when it changes every value', () => {
    const file = read(yaml(names));
    const known = opened(
      file,
      names.map((name) => Buffer.from(name)),
    );
    const shown = plaintextView(file, known, { stanzas: 'marked' }).text;
    const edited = shown.replaceAll(/"(password|username|ca\.crt)"/g, '"new $1"').replace('[production]', '[staging]');
    assert.deepEqual(only(restoreSealed(file, known, edited, read)).recipients, ['staging']);
  });
});
