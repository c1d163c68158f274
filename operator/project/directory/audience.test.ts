import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import { reaches } from '../../../core/format/manifest/reach.ts';
import fc from '../../../test/support/properties.ts';
import { readText } from '../../../test/support/sealing.ts';
import { sealedManifest, testCluster, type WantedManifest } from '../../../test/support/secrets.ts';
import { audienceOf } from './audience.ts';
import { workloadsFrom } from './workload.ts';

await sodiumReady();
const production = testCluster('production');
const root = { uid: 0, gid: 0, groups: [] };
const names = ['payments/api', 'payments/worker', 'team-a/api', 'team-b/api', 'other/api'];
const workloads = workloadsFrom(
  names.map((name) => ({ name })),
  root,
);

function audience(wanted: Partial<WantedManifest>): Record<string, string[]> {
  const data = { password: '1', user: '2' };
  const text = sealedManifest({ namespace: 'payments', name: 'db', to: [production], data, ...wanted });
  const [manifest] = readText(text).manifests;
  assert.ok(manifest);
  return Object.fromEntries(
    audienceOf(manifest, workloads.values()).map(({ workload, entries }) => [workload, [...entries]]),
  );
}

describe('who gets a secret', () => {
  const both = ['password', 'user'];
  const table: [what: string, wanted: Partial<WantedManifest>, expected: Record<string, string[]>][] = [
    ['* is every workload of the namespace', {}, { 'payments/api': both, 'payments/worker': both }],
    ['a reader is one workload', { readers: ['api'] }, { 'payments/api': both }],
    ['a reader of the same name elsewhere is nobody', { namespace: 'other', readers: ['worker'] }, {}],
    ['no readers, nobody', { readers: [] }, {}],
    ['scope cluster alone reaches its own namespace', { scope: 'cluster', readers: ['api'] }, { 'payments/api': both }],
    [
      'namespaces reach further with scope cluster',
      { scope: 'cluster', namespaces: ['team-*'], readers: ['api'] },
      { 'payments/api': both, 'team-a/api': both, 'team-b/api': both },
    ],
  ];
  for (const [what, wanted, expected] of table) {
    test(what, () => assert.deepEqual(audience(wanted), expected));
  }

  test('globs match as regular expressions made of them do', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*', '?'), minLength: 1, maxLength: 8 });
    const namespace = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(glob, namespace, (pattern, name) => {
        const binding = { scope: 'cluster', namespace: '', name: '' } as const;
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        assert.equal(reaches({ namespace: 'own', namespaces: [pattern], binding }, name), expression.test(name));
      }),
    );
  });

  test('a glob made to take for ever does not', () => {
    const binding = { scope: 'cluster', namespace: '', name: '' } as const;
    const manifest = { namespace: 'own', namespaces: ['*a'.repeat(31)], binding };
    const began = performance.now();
    assert.equal(reaches(manifest, `${'a'.repeat(62)}b`), false);
    // What tries every way to match takes longer than there is time.
    assert.ok(performance.now() - began < 60_000);
  });
});

describe('whom files can be given to', () => {
  const self = { uid: 1000, gid: 1000, groups: [1000, 44] };
  test('by root, anybody', () => {
    const [workload] = workloadsFrom([{ name: 'a/b', uid: 5, gid: 6 }], root).values();
    assert.deepEqual(workload?.holder, { uid: 5, gid: 6, folderMode: 0o500, fileMode: 0o400 });
  });
  test('else, nobody but oneself and one’s groups', () => {
    const [workload] = workloadsFrom([{ name: 'a/b', gid: 44 }], self).values();
    assert.deepEqual(workload?.holder, { uid: 1000, gid: 44, folderMode: 0o700, fileMode: 0o400 });
    for (const other of [{ uid: 1001 }, { uid: 0 }, { gid: 1001 }]) {
      assert.throws(() => workloadsFrom([{ name: 'a/b', ...other }], self), { code: 'PROJECTION_UNPRIVILEGED' });
    }
  });
  test('each workload is listed once', () => {
    assert.throws(() => workloadsFrom([{ name: 'a/b' }, { name: 'a/b' }], root), {
      code: 'CONFIG_WORKLOAD_TWICE',
      exit: 2,
    });
  });
});
