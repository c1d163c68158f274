import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SecretStatus } from '../status/status.ts';
import { conditionsOf } from './conditions.ts';

const secret = (more: Partial<SecretStatus>): SecretStatus => ({
  ...{ namespace: 'payments', name: 'db', source: 'secrets', path: 'db.yaml', state: 'ready', workloads: [] },
  ...more,
});
const failed = (code: string, isRetried: boolean, more: Partial<SecretStatus> = {}) =>
  secret({
    state: 'failed',
    isRetried,
    trouble: { code, message: 'the stanza is for another key', advice: 'Run `coffer rewrap`', data: {} },
    ...more,
  });

/** As kstatus reads an object whose generation is observed: cli-utils, pkg/kstatus/status/{generic,util}.go. */
function kstatus(status: SecretStatus): 'Current' | 'InProgress' | 'Failed' {
  const conditions = conditionsOf(status, true);
  const is = (type: string) => conditions.find((condition) => condition.type === type)?.status;
  if (is('Reconciling') === 'True') return 'InProgress';
  if (is('Stalled') === 'True') return 'Failed';
  return is('Ready') === 'True' ? 'Current' : 'InProgress';
}

describe('the conditions of a secret', () => {
  const cases: [what: string, SecretStatus, reason: string, message: RegExp, ReturnType<typeof kstatus>][] = [
    ['projected', secret({ workloads: ['b/db', 'a/db', 'a/db'] }), 'Projected', /projected into a, b\.$/, 'Current'],
    [
      'projected widely',
      secret({ workloads: 'abcdefg'.split('').map((ns) => `${ns}/db`) }),
      'Projected',
      /a, b, c, d, e and 2 more\.$/,
      'Current',
    ],
    ['given as volumes only', secret({}), 'Projected', /volumes/, 'Current'],
    ['not looked at yet', secret({ state: 'pending' }), 'Pending', /not come to it/, 'InProgress'],
    [
      'failed until a person acts',
      failed('STANZA_UNKNOWN_KEY', false),
      'StanzaUnknownKey',
      /^The stanza is for another key\. Run `coffer rewrap`\.$/,
      'Failed',
    ],
    [
      'failed, with the last good one in its place',
      failed('VALUE_REFUSED', false, { commit: 'a'.repeat(40) }),
      'ValueRefused',
      /What was projected before stays\. Run/,
      'Failed',
    ],
    ['failed for now', failed('KUBERNETES_BUSY', true), 'KubernetesBusy', /another key/, 'InProgress'],
    ['owned by another manifest', failed('MANIFEST_OWNED_ELSEWHERE', false), 'Conflict', /another key/, 'Failed'],
    ['suspended by a person', failed('SECRET_SUSPENDED', false), 'Suspended', /another key/, 'Failed'],
    [
      'held back from removal',
      secret({ state: 'held', heldBy: 'c0ffee' }),
      'RemovalHeld',
      /--confirm c0ffee`/,
      'Failed',
    ],
    ['retained', secret({ state: 'retained' }), 'Retained', /deletionPolicy/, 'Current'],
  ];
  for (const [what, status, reason, message, seen] of cases) {
    test(`${what}: ${reason}, and ${seen} to kstatus`, () => {
      const [ready] = conditionsOf(status, true);
      assert.equal(ready?.reason, reason);
      assert.match(ready?.message ?? '', message);
      assert.equal(kstatus(status), seen);
      for (const condition of conditionsOf(status, true)) assert.match(condition.reason, /^[A-Z][A-Za-z]+$/);
    });
  }

  test('a mirror is vouched for by what it was made from, as long as that is in git', () => {
    const verified = (status: SecretStatus) => conditionsOf(status, true).find(({ type }) => type === 'Verified');
    assert.deepEqual([verified(secret({}))?.status, verified(secret({}))?.reason], ['True', 'Vouched']);
    const gone = verified(secret({ state: 'held' }));
    assert.deepEqual([gone?.status, gone?.reason], ['False', 'NoCommit']);
  });

  test('of what others carry, git’s word is repeated, and none is invented', () => {
    const types = (status: SecretStatus) =>
      conditionsOf(status, false).map(({ type, status, reason }) => [type, status, reason]);
    assert.deepEqual(types(secret({})), [['Ready', 'True', 'Projected']]);
    assert.deepEqual(types(secret({ verified: { status: 'False', reason: 'Differs', message: 'git has another' } })), [
      ['Ready', 'True', 'Projected'],
      ['Verified', 'False', 'Differs'],
    ]);
  });
});

test('a mirror whose newest version is held back is verified as far as it goes, and says why no further', () => {
  const [ready, verified] = conditionsOf(failed('TRUST_UNSIGNED', false, { commit: 'abc' }), true);
  assert.deepEqual([ready?.reason, ready?.status], ['TrustUnsigned', 'False']);
  assert.deepEqual([verified?.type, verified?.status, verified?.reason], ['Verified', 'True', 'Behind']);
  assert.match(verified?.message ?? '', /^It is as abc had it; .*the stanza is for another key/i);
});
