import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from '../../../test/support/properties.ts';
import { manifest, sealed } from '../../../test/trust/manifests.ts';
import { configFrom, isManifestPath } from '../../config/repository.ts';
import { documentProblems } from '../../format/document/document.ts';
import { type Aspects, aspectsOf, hasContent } from './aspects.ts';

const SIDE = { mode: '100644', oid: '0'.repeat(40) };

function read(text: string, path = 'db.yaml'): Aspects {
  return aspectsOf(path, SIDE, Buffer.from(text));
}

const texts = (aspects: Aspects) =>
  Object.fromEntries([...aspects].map(([name, { text }]) => [name.split('\0').at(-1) ?? '', text]));

/** Text that is nearly a manifest: pieces of one, shuffled, with what YAML means something by between them. */
const pieces = [
  ...manifest({ more: ['template: {data: {a: b}}', 'rotation: {password: {}}', 'keys: {}'] }).split('\n'),
  ...[
    '---',
    '{',
    '}',
    '[',
    '- a',
    '? b',
    '&x',
    '*x',
    '!!binary aGk=',
    '"\\0"',
    'spec: {data: []}',
    'metadata: 5',
    '  readers: {a: b}',
  ],
];
const hostile = fc
  .array(fc.constantFrom(...pieces), { maxLength: 25 })
  .map((lines) => `apiVersion: coffer.dev/v1\nkind: EncryptedSecret\n${lines.join('\n')}`);

/** Characters in all names of aspects, and what people are told of them. */
const namesOf = (aspects: Aspects): number =>
  [...aspects].reduce((sum, [name, { label }]) => sum + name.length + label.length, 0);

describe('what a file says', () => {
  test('takes no more room than the file, however long the name is that stands in each of its names', () => {
    const long = 'n'.repeat(100_000);
    const data = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`e${n}`, sealed('k', `${n}`)]));
    const stanzas = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`r${n}`, 'x']));
    for (const text of [manifest({ name: long, data }), manifest({ keys: { [long]: stanzas } })]) {
      const aspects = read(text);
      assert.ok(aspects.size > 500);
      assert.ok(
        namesOf(aspects) < 2 * text.length,
        `${namesOf(aspects)} characters of names in ${text.length} of text`,
      );
    }
    const [one, other] = [read(manifest({ name: `${long}1` })), read(manifest({ name: `${long}2` }))];
    assert.deepEqual(
      [...one.keys()].filter((name) => name !== '' && other.has(name)),
      [],
    );
  });

  test('is the same in YAML and JSON, in any order, with any comment', () => {
    const text = manifest({ recipients: ['a', 'b'], data: { x: sealed('k', 'x'), y: sealed('k', 'y') } });
    const value = documentProblems(Buffer.from(text), 'db.yaml').documents.documents[0]?.value;
    assert.deepEqual(texts(read(JSON.stringify(value))), texts(read(text)));
    assert.deepEqual(texts(read(`# why\n${text}# because\n`)), texts(read(text)));
    const turned = manifest({ recipients: ['b', 'a'], data: { y: sealed('k', 'y'), x: sealed('k', 'x') } });
    assert.deepEqual(texts(read(turned)), texts(read(text)));
  });

  test('in what could be taken for .coffer is one thing, and no manifest is looked for there', () => {
    const head = 'apiVersion: coffer.dev/v1\nkind: Config\nmetadata: {name: coffer}\nspec: {include: ["*"], ';
    const config = configFrom(Buffer.from(`${head}repository: "AAAAAAAAAAAAAAAAAAAAAA"}\n`), '.coffer/config.yaml');
    const folders = [
      '.coffer',
      '.Coffer',
      '.coffer.',
      '.cof\u200cfer',
      '.co\ufb00er',
      'COFFER~1',
      'coffer',
      'requests',
      'a',
    ];
    const paths = fc.array(fc.constantFrom(...folders, 'db.yaml'), { minLength: 1, maxLength: 4 });
    let judged = 0;
    fc.assert(
      fc.property(paths, (parts) => {
        const path = parts.join('/');
        const isOne = aspectsOf(path, SIDE, hasContent(path, SIDE) ? Buffer.from(manifest()) : undefined).size === 1;
        assert.equal(isManifestPath(config, path), !isOne, path);
        judged += isOne ? 1 : 0;
      }),
      { numRuns: 500 },
    );
    assert.ok(judged > 50);
  });

  test('can be asked of any bytes', () => {
    fc.assert(
      fc.property(hostile, fc.uint8Array({ maxLength: 20 }), (text, bytes) => {
        assert.ok(read(text).has(''));
        assert.ok(aspectsOf('x.yaml', SIDE, Buffer.concat([Buffer.from(text), bytes])).has(''));
      }),
      { numRuns: 500 },
    );
  });

  test('is the same if, and only if, what it says is', () => {
    fc.assert(
      fc.property(spec, spec, fc.nat(), (one, given, at) => {
        const names = Object.keys({ ...one, ...given }) as (keyof typeof given)[];
        const other = { ...one };
        const name = names[at % names.length] ?? 'data';
        if (given[name] === undefined && name !== 'data' && name !== 'readers' && name !== 'recipients')
          delete other[name];
        else Object.assign(other, { [name]: given[name] });
        const [a, b] = [one, other].map((value) => texts(read(document(value))));
        assert.equal(
          isDeepStrictEqual(a, b),
          isDeepStrictEqual(normal(one), normal(other)),
          JSON.stringify([one, other]),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

const word = fc.constantFrom('a', 'b');
const map = (value: fc.Arbitrary<unknown>) => fc.dictionary(word, value, { maxKeys: 1, noNullPrototype: true });

/** With few words, so that two of them are often alike. */
const spec = fc.record(
  {
    recipients: fc.shuffledSubarray(['a', 'b']),
    readers: fc.array(fc.record({ name: word, entries: fc.constant(['x']) }, { requiredKeys: ['name'] }), {
      maxLength: 2,
    }),
    scope: fc.constantFrom('strict', 'cluster'),
    namespaces: fc.constant(['a']),
    type: fc.constantFrom('Opaque', 'b'),
    projection: fc.constantFrom('Secret', 'Volume'),
    deletionPolicy: fc.constantFrom('Delete', 'Retain'),
    data: map(word),
    template: fc.record({ data: map(word), metadata: fc.record({ labels: map(word) }) }, { requiredKeys: [] }),
    rotation: map(fc.constantFrom({}, { every: '1d' })),
    keys: map(map(word)),
    other: word,
  },
  { requiredKeys: ['recipients', 'readers', 'data'] },
);

function document(value: object): string {
  const metadata = { namespace: 'a', name: 'a' };
  return JSON.stringify({ apiVersion: 'coffer.dev/v1', kind: 'EncryptedSecret', metadata, spec: value });
}

/** What is usual filled in, lists in one order whose order means nothing, and maps without what is empty. */
function normal({ recipients, readers, ...others }: { recipients: string[]; readers: { name: string }[] }): unknown {
  const usual = { scope: 'strict', namespaces: [], type: 'Opaque', projection: 'Secret', deletionPolicy: 'Delete' };
  const byName = Object.groupBy(readers, ({ name }) => name);
  return JSON.parse(
    JSON.stringify(pruned({ ...usual, ...others, recipients: recipients.toSorted(), readers: byName })),
  );
}

/** A row of `rotation` may be empty; any other map that is says nothing. */
function pruned(value: unknown, isRotation = false): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const rows = Object.entries(value).map(([name, item]) => [name, pruned(item, name === 'rotation')] as const);
  return { ...Object.fromEntries(rows.filter(([, item]) => isRotation || JSON.stringify(item) !== '{}')) };
}
