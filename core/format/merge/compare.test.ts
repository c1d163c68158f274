import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryRepository, manifestText } from '../../../test/check/memory-repository.ts';
import type { ManifestFile } from '../manifest/manifest.ts';
import { readManifestFile } from '../manifest/read-manifest.ts';
import { compareManifests } from './compare.ts';

const repository = new MemoryRepository(['production', 'staging']);

function sealed(text: string): ManifestFile {
  repository.seal('a.yaml', text);
  return read(repository.text('a.yaml'));
}

function read(text: string): ManifestFile {
  return readManifestFile(Buffer.from(text), 'a.yaml');
}

/** `+ reader reports (→ all)` */
function changes(before: ManifestFile | undefined, after: ManifestFile | undefined): string[] {
  const marks = { added: '+', removed: '-', changed: '~' };
  return compareManifests(before, after).map(({ what, subject, change, detail }) =>
    [
      marks[change],
      what,
      ...(subject === '' ? [] : [subject]),
      ...(detail === undefined ? [] : [`(${detail.before ?? ''} → ${detail.after ?? ''})`]),
    ].join(' '),
  );
}

const start = sealed(manifestText({}));
const changedTo = (from: string | RegExp, to: string) => {
  assert.notEqual(start.text.replace(from, to), start.text);
  return changes(start, read(start.text.replace(from, to)));
};

describe('a comparison of two versions shows', () => {
  test('nothing where nothing but the layout changed', () => {
    assert.deepEqual(changes(start, start), []);
    assert.deepEqual(changedTo('spec:', '# comment\nspec:'), []);
    assert.deepEqual(changedTo('  data:', '  type: Opaque\n  scope: "strict"\n  data:'), []);
    assert.deepEqual(changedTo('[production, staging]', '[staging, production]'), []);
  });

  test('a new manifest with all that is in it, a removed one as that', () => {
    assert.deepEqual(changes(undefined, start), [
      '+ manifest',
      '+ recipient production',
      '+ recipient staging',
      '+ reader payments-api ( → all)',
      '+ entry password',
      '+ entry username',
    ]);
    assert.deepEqual(changes(start, undefined), ['- manifest']);
    assert.deepEqual(changes(undefined, undefined), []);
  });

  test('a renamed manifest as a removed and a new one', () => {
    assert.deepEqual(
      changedTo('name: payments-db', 'name: other').filter((line) => line.includes('manifest')),
      ['- manifest', '+ manifest'],
    );
  });

  test('entries that were sealed again, added or removed, and no stanza of their new data keys', () => {
    const again = sealed(manifestText({ data: { password: 'another', token: 'new' } }));
    assert.deepEqual(changes(start, again), ['~ entry password', '- entry username', '+ entry token']);
  });

  test('recipients, without the stanzas that come and go with them', () => {
    const without = start.text.replace('[production, staging]', '[production]').replaceAll(/\n +staging: .*/g, '');
    assert.deepEqual(changes(start, read(without)), ['- recipient staging']);
    assert.deepEqual(
      changes(read(without), start),
      ['+ recipient staging', '+ stanza staging ( → key …)'].map(anyKey(start)),
    );
  });

  test('readers, with what they may read', () => {
    assert.deepEqual(changedTo('[{name: payments-api}]', '[{name: payments-api, entries: [password]}, {name: b}]'), [
      '~ reader payments-api (all → password)',
      '+ reader b ( → all)',
    ]);
  });

  test('scope, type, policy, metadata and templates', () => {
    assert.deepEqual(
      changedTo('  data:', '  type: tls\n  deletionPolicy: Retain\n  rotation: {password: {every: 30d}}\n  data:'),
      [
        '~ field type (Opaque → tls)',
        '~ field deletionPolicy (Delete → Retain)',
        '+ field rotation ( → {"password":{"every":"30d"}})',
      ],
    );
    assert.deepEqual(changedTo('  namespace: payments', '  namespace: payments\n  labels: {a: b}'), [
      '+ field labels ( → {"a":"b"})',
    ]);
    assert.deepEqual(changedTo('  data:', '  template: {data: {URL: "x${username}"}}\n  data:'), ['+ template URL']);
  });
});

function anyKey(file: ManifestFile) {
  const kid = [...(file.manifests[0]?.stanzas.values() ?? [])][0]?.get('staging')?.kid ?? '';
  return (line: string) => line.replace('key …', `key ${kid.slice(0, 8)}…`);
}
