import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { readManifestFile } from '../../../core/format/manifest/read-manifest.ts';
import { sealedManifest, testCluster, testGroup } from '../../../test/support/secrets.ts';
import { isSameForUs } from './same-for-us.ts';

// biome-ignore lint/suspicious/noExplicitAny: a parsed manifest that the cases change
type Document = any;

const CASES: { what: string; change(document: Document): void; isSame: boolean }[] = [
  { what: 'nothing', change: () => {}, isSame: true },
  { what: 'the stanzas of others', change: ({ spec }) => removeStanzas(spec, 'staging'), isSame: true },
  { what: 'our stanzas', change: ({ spec }) => removeStanzas(spec, 'production'), isSame: false },
  { what: 'the stanzas of a group of ours', change: ({ spec }) => removeStanzas(spec, 'eu'), isSame: false },
  { what: 'other recipients', change: ({ spec }) => spec.recipients.splice(1, 1), isSame: true },
  { what: 'ourselves among the recipients', change: ({ spec }) => spec.recipients.splice(0, 1), isSame: false },
  { what: 'the order of entries', change: ({ spec }) => reverse(spec, 'data'), isSame: true },
  { what: 'an entry that is gone', change: ({ spec }) => delete spec.data.b, isSame: false },
  { what: 'entries that changed places', change: ({ spec }) => swap(spec.data), isSame: false },
  { what: 'plaintext', change: ({ spec }) => Object.assign(spec.data, { b: 'plain' }), isSame: false },
  { what: 'another reader', change: ({ spec }) => spec.readers.push({ name: 'web' }), isSame: false },
  {
    what: 'fewer entries for a reader',
    change: ({ spec }) => Object.assign(spec.readers[0], { entries: ['a'] }),
    isSame: false,
  },
  { what: 'the type', change: ({ spec }) => (spec.type = 'kubernetes.io/tls'), isSame: false },
  { what: 'what becomes of it', change: ({ spec }) => (spec.deletionPolicy = 'Retain'), isSame: false },
  { what: 'volumes only', change: ({ spec }) => (spec.projection = 'Volume'), isSame: false },
  { what: 'a template', change: ({ spec }) => (spec.template = { data: { c: `\${a}` } }), isSame: false },
  {
    what: 'a label of the Secret',
    change: ({ spec }) => (spec.template = { metadata: { labels: { a: 'b' } } }),
    isSame: false,
  },
  { what: 'when it is rotated', change: ({ spec }) => (spec.rotation = { a: { every: '30d' } }), isSame: true },
  { what: 'its own labels', change: ({ metadata }) => (metadata.labels = { app: 'x' }), isSame: true },
  { what: 'its name', change: ({ metadata }) => (metadata.name = 'mail'), isSame: false },
];

function removeStanzas(spec: Document, recipient: string): void {
  for (const stanzas of Object.values<Document>(spec.keys)) delete stanzas[recipient];
}

function reverse(spec: Document, field: string): void {
  spec[field] = Object.fromEntries(Object.entries(spec[field]).reverse());
}

function swap(data: Document): void {
  [data.a, data.b] = [data.b, data.a];
}

describe('what an object may differ in from the commit that vouches for it', () => {
  let text = '';
  before(async () => {
    await sodiumReady();
    const [production, staging] = [testCluster('production'), testCluster('staging')];
    const to = [production, staging, testGroup('eu', production, [production])];
    text = sealedManifest({
      namespace: 'payments',
      name: 'db',
      to,
      data: { a: '1', b: '2' },
      readers: ['api'],
    });
  });
  const read = (json: string): Manifest | undefined => readManifestFile(Buffer.from(json), 'db.json').manifests[0];

  for (const { what, change, isSame } of CASES) {
    test(`${what}: ${isSame ? 'the same to us' : 'another'}`, () => {
      const document = JSON.parse(text);
      change(document);
      const [one, other] = [read(text), read(JSON.stringify(document))];
      assert.ok(one !== undefined && other !== undefined);
      assert.equal(isSameForUs(one, other, new Set(['production', 'eu'])), isSame);
      assert.equal(isSameForUs(other, one, new Set(['production', 'eu'])), isSame);
    });
  }

  test('nothing is not the same as something', () => {
    const one = read(text);
    assert.ok(one !== undefined);
    assert.equal(isSameForUs(one, undefined, new Set(['production'])), false);
  });
});
