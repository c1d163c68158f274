import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectedSecret } from '../projector.ts';
import { Digests } from './digests.ts';
import { PROVENANCE } from './marks.ts';
import { markText, readMark } from './provenance-mark.ts';

const KEY = { bytes: Buffer.alloc(32, 7), id: 'x' };
const PLACE = { namespace: 'payments', name: 'db' };
const digests = new Digests(KEY);
const values = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([name, value]) => [name, Buffer.from(value)]));

test('what is written and what is read back have the same digest, in whatever order', () => {
  const written = digests.ofValues(PLACE, 'Opaque', values({ b: '2', a: 'ünï\0' }));
  const data = { a: Buffer.from('ünï\0').toString('base64'), b: Buffer.from('2').toString('base64') };
  assert.deepEqual(digests.ofSecret({ metadata: { ...PLACE }, data }), written);
});

test('another value, name, place, type, key or division of the same bytes is another digest', () => {
  const all = [
    digests.ofValues(PLACE, 'Opaque', values({ a: '12', b: '3' })),
    digests.ofValues(PLACE, 'Opaque', values({ a: '1', b: '23' })),
    digests.ofValues(PLACE, 'Opaque', values({ a: '12' })),
    digests.ofValues(PLACE, 'Opaque', values({ c: '12', b: '3' })),
    digests.ofValues(PLACE, 'kubernetes.io/tls', values({ a: '12', b: '3' })),
    digests.ofValues({ ...PLACE, name: 'other' }, 'Opaque', values({ a: '12', b: '3' })),
    new Digests({ bytes: Buffer.alloc(32, 8), id: 'y' }).ofValues(PLACE, 'Opaque', values({ a: '12', b: '3' })),
  ].map(({ whole }) => whole);
  assert.equal(new Set(all).size, all.length);
});

test('equal values have different digests in different entries and Secrets, so that nobody sees that they are equal', () => {
  const { entries } = digests.ofValues(PLACE, 'Opaque', values({ a: 'same', b: 'same' }));
  const other = digests.ofValues({ ...PLACE, name: 'other' }, 'Opaque', values({ a: 'same' })).entries;
  assert.equal(new Set([entries.get('a'), entries.get('b'), other.get('a')]).size, 3);
});

test('a manifest that is sealed to more recipients is the same manifest; one that is moved, or sealed anew, is another', () => {
  const secret: ProjectedSecret = {
    ...PLACE,
    type: 'Opaque',
    deletionPolicy: 'Delete',
    projection: 'Secret',
    readers: [],
    entries: new Map([['a', { kind: 'sealed', text: 'CF[1:x:y]', dataKeyId: 'x', line: 1 }]]),
    stanzas: new Map(),
    template: { data: new Map(), labels: new Map(), annotations: new Map() },
    binding: { scope: 'strict', ...PLACE },
    namespaces: [],
  };
  const provenance = { source: 'git', path: 'db.yaml', index: 0 };
  const digest = digests.ofManifest(secret, provenance);
  const stanzas = new Map([['x', new Map([['production', { kid: 'k', text: 'k:t', line: 9 }]])]]);
  assert.equal(digests.ofManifest({ ...secret, stanzas }, { ...provenance, commit: 'c' }), digest);
  const sealed = new Map([['a', { kind: 'sealed', text: 'CF[1:x:z]', dataKeyId: 'x', line: 1 } as const]]);
  const others = [
    digests.ofManifest({ ...secret, entries: sealed }, provenance),
    digests.ofManifest(secret, { ...provenance, path: 'other.yaml' }),
    digests.ofManifest({ ...secret, deletionPolicy: 'Retain' }, provenance),
    digests.ofManifest({ ...secret, template: { ...secret.template, labels: new Map([['a', 'b']]) } }, provenance),
  ];
  assert.equal(new Set([digest, ...others]).size, 5);
});

test('a mark counts on the Secret that the operator wrote it for, and not when anything of it is another', () => {
  const mark = { homeNamespace: 'payments', provenance: { source: 'git', path: 'db.yaml', index: 0, commit: 'c' } };
  const text = markText(PLACE, mark, digests);
  const read = (place: typeof PLACE, annotation: string) =>
    readMark({ ...place, annotations: { [PROVENANCE]: annotation } }, digests);
  assert.deepEqual(read(PLACE, text), mark);
  assert.equal(read({ ...PLACE, namespace: 'other' }, text), undefined);
  assert.equal(read({ ...PLACE, name: 'other' }, text), undefined);
  for (const change of [
    { source: 'x' },
    { path: 'x' },
    { index: 1 },
    { namespace: 'x' },
    { commit: 'x' },
    { digest: 'x' },
  ])
    assert.equal(read(PLACE, JSON.stringify({ ...JSON.parse(text), ...change })), undefined, JSON.stringify(change));
});
