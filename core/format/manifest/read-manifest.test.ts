import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { CofferError } from '../../errors.ts';
import type { Manifest } from './manifest.ts';
import { manifestProblems, readManifestFile } from './read-manifest.ts';
import { entriesFor } from './readers.ts';

const SEALED = `CF[1:${'A'.repeat(32)}:${'A'.repeat(96)}]`;
const STANZA = `${'0'.repeat(32)}:${'A'.repeat(1558)}`;

/** A manifest in JSON (one line a field), with parts replaced or added. */
function manifest(spec: Record<string, unknown> = {}, top: Record<string, unknown> = {}): string {
  const whole = {
    apiVersion: 'coffer.dev/v1',
    kind: 'EncryptedSecret',
    metadata: { name: 'db', namespace: 'shop' },
    ...top,
    spec: { recipients: ['one'], readers: [{ name: 'w' }], data: { a: 'x' }, ...spec },
  };
  return JSON.stringify(whole, null, 1);
}

function only(text: string): Manifest {
  const [first] = readManifestFile(Buffer.from(text), 'f.yaml').manifests;
  assert.ok(first);
  return first;
}

function problemsOf(text: string): CofferError[] {
  return manifestProblems(Buffer.from(text), 'f.yaml').problems;
}

describe('a manifest as a model', () => {
  test('defaults are filled in, rows of one reader add up', () => {
    const readers = [
      { name: 'w', entries: ['a'] },
      { name: '*' },
      { name: 'w', entries: ['b'] },
      { name: '*', entries: ['a'] },
    ];
    const { type, deletionPolicy, binding, ...rest } = only(manifest({ readers }));
    assert.deepEqual(
      { type, deletionPolicy, binding },
      {
        type: 'Opaque',
        deletionPolicy: 'Delete',
        binding: { scope: 'strict', namespace: 'shop', name: 'db' },
      },
    );
    assert.deepEqual(rest.readers, [{ name: 'w', entries: new Set(['a', 'b']) }, { name: '*' }]);
  });

  test('entries are sealed or plaintext, with their lines', () => {
    const data = `  data:\n    a: x1\n    b: ${SEALED}\n    c: !!binary /wD+\n    d: ""\n`;
    const text = `apiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: shop}\nspec:\n  recipients: [one]\n  readers: []\n${data}`;
    assert.deepEqual(
      [...only(text).entries],
      [
        ['a', { kind: 'plaintext', bytes: Buffer.from('x1'), line: 8 }],
        ['b', { kind: 'sealed', text: SEALED, dataKeyId: 'A'.repeat(32), line: 9 }],
        ['c', { kind: 'plaintext', bytes: Buffer.from([255, 0, 254]), line: 10 }],
        ['d', { kind: 'plaintext', bytes: Buffer.alloc(0), line: 11 }],
      ],
    );
  });

  test('every field of Kubernetes’ metadata and a status are allowed and mean nothing', () => {
    const metadata = {
      name: 'db',
      namespace: 'shop',
      uid: 'x',
      generation: 2,
      creationTimestamp: null,
      managedFields: [{ apiVersion: 'coffer.dev/v1' }],
    };
    assert.equal(only(manifest({}, { metadata, status: { whatever: [1] } })).name, 'db');
  });
});

describe('what is refused in a manifest', () => {
  const many = (count: number, of: (index: number) => [string, unknown]) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => of(index)));
  const refused: [code: string, path: string, text: string][] = [
    ['DOCUMENT_FIELD', 'metadata', manifest({}, { metadata: { name: 'db' } })],
    ['DOCUMENT_FIELD', 'metadata.name', manifest({}, { metadata: { name: 'DB', namespace: 'shop' } })],
    ['DOCUMENT_FIELD', 'metadata.name', manifest({}, { metadata: { name: 'a/../b', namespace: 'shop' } })],
    ['DOCUMENT_FIELD', 'metadata.namespace', manifest({}, { metadata: { name: 'db', namespace: '..' } })],
    ['DOCUMENT_FIELD', 'metadata.nmae', manifest({}, { metadata: { nmae: 'db', name: 'db', namespace: 'shop' } })],
    ['DOCUMENT_FIELD', 'extra', manifest({}, { extra: 1 })],
    ['DOCUMENT_FIELD', 'spec.extra', manifest({ extra: 1 })],
    ['DOCUMENT_FIELD', 'spec', manifest({ readers: undefined })],
    ['DOCUMENT_FIELD', 'spec.recipients', manifest({ recipients: [] })],
    ['DOCUMENT_FIELD', 'spec.recipients', manifest({ recipients: ['one', 'one'] })],
    ['DOCUMENT_FIELD', 'spec.recipients[0]', manifest({ recipients: ['One '] })],
    ['DOCUMENT_FIELD', 'spec.recipients', manifest({ recipients: Object.keys(many(65, (index) => [`r${index}`, 1])) })],
    ['DOCUMENT_FIELD', 'spec.scope', manifest({ scope: 'Strict' })],
    ['DOCUMENT_FIELD', 'spec.readers[0].name', manifest({ readers: [{ name: 'w*' }] })],
    ['DOCUMENT_FIELD', 'spec.readers[0].entries[0]', manifest({ readers: [{ name: 'w', entries: ['..'] }] })],
    ['DOCUMENT_FIELD', 'spec.readers[0].entrys', manifest({ readers: [{ name: 'w', entrys: ['a'] }] })],
    ['DOCUMENT_FIELD', 'spec.deletionPolicy', manifest({ deletionPolicy: 'Keep' })],
    ['DOCUMENT_FIELD', 'spec.data...', manifest({ data: { '..': 'x' } })],
    ['DOCUMENT_FIELD', 'spec.data.a/b', manifest({ data: { 'a/b': 'x' } })],
    ['DOCUMENT_FIELD', 'spec.data', manifest({ data: many(257, (index) => [`e${index}`, 'x']) })],
    ['DOCUMENT_FIELD', 'spec.keys.short', manifest({ keys: { short: {} } })],
    [
      'DOCUMENT_FIELD',
      `spec.keys.${'A'.repeat(32)}.one`,
      manifest({ keys: { ['A'.repeat(32)]: { one: STANZA.slice(1) } } }),
    ],
    ['MANIFEST_VALUE', '', manifest({ data: { a: { b: 'x' } } })],
    ['MANIFEST_VALUE', '', manifest({ data: { a: ['x'] } })],
    ['DOCUMENT_AMBIGUOUS', '', manifest({ data: { a: 1 } })],
    ['DOCUMENT_AMBIGUOUS', '', manifest({ data: { a: true } })],
    ['DOCUMENT_AMBIGUOUS', '', manifest({ data: { a: null } })],
    ['VALUE_MALFORMED', '', manifest({ data: { a: 'CF[1:x]' } })],
    ['VALUE_MALFORMED', '', manifest({ data: { a: `${SEALED} ` } })],
    ['VALUE_MALFORMED', '', manifest({ data: { a: SEALED.replace('CF[1', 'CF[2') } })],
    ['VALUE_MALFORMED', '', manifest({ data: { a: 'EJ[1:x:y:z]' } })],
    ['MANIFEST_TYPE', '', manifest({ type: 'kubernetes.io/service-account-token' })],
    ['MANIFEST_TYPE', '', manifest({ type: 'bootstrap.kubernetes.io/token' })],
    ['MANIFEST_NAMESPACES', '', manifest({ namespaces: ['team-*'] })],
    ['MANIFEST_NAMESPACES', '', manifest({ namespaces: ['a'], scope: 'namespace' })],
    ['TEMPLATE_NAME_TAKEN', '', manifest({ template: { data: { a: 'x' } } })],
    ['TEMPLATE_UNKNOWN_ENTRY', '', manifest({ template: { data: { t: '${b}' } } })],
    ['TEMPLATE_MALFORMED', '', manifest({ template: { data: { t: '${a:hex}' } } })],
    ['TEMPLATE_MALFORMED', '', manifest({ template: { data: { t: '${a' } } })],
    ['TEMPLATE_METADATA', '', manifest({ template: { metadata: { labels: { x: '${a}' } } } })],
    ['TEMPLATE_METADATA', '', manifest({ template: { metadata: { annotations: { 'kubernetes.io/x': 'y' } } } })],
    ['TEMPLATE_METADATA', '', manifest({ template: { metadata: { annotations: { 'a.b.k8s.io/x': 'y' } } } })],
    ['TEMPLATE_METADATA', '', manifest({ template: { metadata: { labels: { 'coffer.dev/x': 'y' } } } })],
    ['DOCUMENT_FIELD', 'spec.template.data.t', manifest({ template: { data: { t: {} } } })],
  ];
  for (const [code, path, text] of refused) {
    test(`${code} ${path}`, () => {
      const found = problemsOf(text);
      const match = found.find((problem) => problem.code === code && (path === '' || problem.data.path === path));
      assert.ok(match, found.map((problem) => `${problem.code} ${problem.data.path} ${problem.message}`).join('\n'));
      assert.ok((match.data.line ?? 0) > 0 && match.data.file === 'f.yaml' && match.advice !== '');
    });
  }

  test('namespaces are allowed with scope cluster, other keys in template.metadata too', () => {
    const metadata = { labels: { 'mykubernetes.io/x': 'y', app: 'z', 'notk8s.io/a': 'b' } };
    assert.deepEqual(
      problemsOf(manifest({ scope: 'cluster', namespaces: ['team-*', 'x'], template: { metadata } })),
      [],
    );
  });

  const misread = ['on', '012', '1e3', '12:30:45', '2026-01-01', '~', '', '=', '1_000', '0x1F'];
  for (const plain of misread) {
    test(`a plain ${JSON.stringify(plain)} is refused with the advice to quote it`, () => {
      const head = 'apiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: shop}\nspec:\n';
      const text = `${head}  recipients:\n    - ${plain}\n  readers: []\n  data:\n    a: ${plain}\n`;
      const found = problemsOf(text).map(({ code, data }) => [code, data.line]);
      assert.deepEqual(found, [
        ['DOCUMENT_AMBIGUOUS', 6],
        ['DOCUMENT_AMBIGUOUS', 9],
      ]);
      assert.match(problemsOf(text)[0]?.advice ?? '', /double quotes|""/);
      assert.deepEqual(problemsOf(text.replaceAll(/( {4}- | {4}a: ).*$/gm, '$1"x1"')), []);
    });
  }

  const binaries = ['aGVsbG8', 'aGVsbG9=', 'aGVs_G8=', 'aGVsbG8=x', '=', 'aGVsbG8==', 'a===', 'aGVsbG8=aGVs'];
  for (const text of binaries) {
    test(`!!binary ${text} is no base64`, () => {
      const yaml = manifest().replace('"x"', `!!binary "${text}"`).replace('{', '---\n{');
      assert.deepEqual(
        problemsOf(yaml).map(({ code }) => code),
        ['MANIFEST_BINARY'],
      );
    });
  }

  test('!!binary is for values of data only', () => {
    const yaml = `---\n${manifest({ template: { data: { t: 'x' } } }).replace('"t": "x"', '"t": !!binary "eA=="')}`;
    assert.deepEqual(
      problemsOf(yaml).map(({ data }) => data.path),
      ['spec.template.data.t'],
    );
    const top = `---\n${manifest({ template: {} }).replace('"template": {}', '"template": !!binary ""')}`;
    assert.deepEqual(
      problemsOf(top).map(({ data }) => data.path),
      ['spec.template'],
    );
  });

  test('all problems of all documents are collected, and the good ones are read', () => {
    const bad = manifest({
      type: 'bootstrap.kubernetes.io/token',
      data: { a: 'CF[', b: 'EJ[' },
      template: { data: { t: '${x}' } },
    });
    const { file, problems } = manifestProblems(
      Buffer.from(`---\n${bad}\n---\n${manifest()}\n---\n${manifest({ x: 1 })}\n`),
      'f',
    );
    assert.equal(file.manifests.length, 1);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['MANIFEST_TYPE', 'VALUE_MALFORMED', 'VALUE_MALFORMED', 'TEMPLATE_UNKNOWN_ENTRY', 'DOCUMENT_FIELD'],
    );
  });

  test('no problem ever repeats a value', () => {
    const texts = [
      manifest({ data: { a: 'CF[hunter2' } }),
      manifest({ data: { a: 'EJ[hunter2' } }),
      manifest({ template: { data: { t: 'hunter2 ${' } } }),
      manifest({ readers: 'hunter2' }),
      `---\n${manifest().replace('"x"', '!!binary hunter2')}`,
      `---\n${manifest().replace('"x"', '!hunter2')}`,
    ];
    for (const text of texts) {
      const problems = problemsOf(text);
      assert.ok(problems.length > 0);
      for (const { message, advice, data } of problems) {
        assert.ok(!JSON.stringify([message, advice, data]).includes('hunter2'), message);
      }
    }
  });

  test('random changes of a manifest never throw anything but CofferErrors', () => {
    const text = `apiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: shop}\nspec:\n  recipients: [one]\n  readers:\n    - name: w\n      entries: [a]\n  data:\n    a: |\n      x\n    b: ${SEALED}\n  template:\n    data:\n      t: "\${a}"\n  keys:\n    # a\n    "${'A'.repeat(32)}":\n      one: "${STANZA}"\n`;
    const change = fc.record({ at: fc.nat(text.length), cut: fc.nat(40), put: fc.string({ maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const junk = changes.reduce((now, { at, cut, put }) => now.slice(0, at) + put + now.slice(at + cut), text);
        for (const problem of problemsOf(junk)) assert.ok(problem instanceof CofferError);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('who reads what', () => {
  const data = { a: SEALED, b: SEALED, 'a.previous': SEALED };
  const template = { data: { ab: '${a}${b}', aa: '${a}', none: 'text' } };
  const cases: [rows: unknown[], entries: string[]][] = [
    [[{ name: 'w' }], ['a', 'b', 'a.previous', 'ab', 'aa', 'none']],
    [[{ name: '*' }], ['a', 'b', 'a.previous', 'ab', 'aa', 'none']],
    [[{ name: 'w', entries: ['a'] }], ['a', 'a.previous']],
    [[{ name: 'w', entries: ['a', 'ab', 'aa', 'none'] }], ['a', 'a.previous', 'aa', 'none']],
    [
      [
        { name: 'w', entries: ['a', 'ab'] },
        { name: '*', entries: ['b'] },
      ],
      ['a', 'b', 'a.previous', 'ab'],
    ],
    [[{ name: 'w', entries: ['a.previous'] }], []],
    [[{ name: 'w', entries: [] }], []],
    [[{ name: 'other' }], []],
    [[], []],
  ];
  for (const [readers, entries] of cases) {
    test(`${JSON.stringify(readers)}: ${entries.join(' ')}`, () => {
      assert.deepEqual([...entriesFor(only(manifest({ data, template, readers })), 'w')], entries);
    });
  }
});
