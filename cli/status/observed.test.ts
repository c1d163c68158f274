import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observedObject, observedStatus } from './observed.ts';

type Conditions = NonNullable<NonNullable<Parameters<typeof observedObject>[0]['status']>['conditions']>;

function stateOf(conditions: Conditions | undefined, generations = { seen: 2, now: 2 }) {
  const metadata = { namespace: 'payments', name: 'db', generation: generations.now };
  const status = conditions === undefined ? {} : { status: { conditions, observedGeneration: generations.seen } };
  const { state, reason, isRetried } = observedObject({ metadata, ...status });
  return [state, reason, isRetried];
}

test('what an object’s conditions say is what its cluster does with it', () => {
  const ready = (status: string, reason: string) => ({ type: 'Ready', status, reason });
  assert.deepEqual(stateOf(undefined), ['pending', undefined, undefined]);
  assert.deepEqual(stateOf([ready('True', 'Projected')]), ['ready', undefined, undefined]);
  assert.deepEqual(stateOf([ready('True', 'Projected')], { seen: 1, now: 2 }), ['pending', 'Projected', undefined]);
  assert.deepEqual(stateOf([ready('Unknown', 'Pending')]), ['pending', 'Pending', undefined]);
  assert.deepEqual(stateOf([ready('False', 'StanzaMissing')]), ['failed', 'StanzaMissing', undefined]);
  assert.deepEqual(stateOf([ready('False', 'RemovalHeld')]), ['held', 'RemovalHeld', undefined]);
  const moving = { type: 'Reconciling', status: 'True', reason: 'KubernetesBusy' };
  assert.deepEqual(stateOf([ready('False', 'KubernetesBusy'), moving]), ['failed', 'KubernetesBusy', true]);
});

test('what is projected and not as git has it now says so: somebody may hold it back', () => {
  const is = (status: string, reason: string) => ({ type: 'Verified', status, reason });
  const ready = { type: 'Ready', status: 'True', reason: 'Projected' };
  assert.deepEqual(stateOf([ready, is('True', 'Behind')]), ['ready', 'Behind', undefined]);
  assert.deepEqual(stateOf([ready, is('True', 'Vouched')]), ['ready', undefined, undefined]);
  const failed = { type: 'Ready', status: 'False', reason: 'StanzaMissing' };
  assert.deepEqual(stateOf([is('True', 'Behind'), failed]), ['failed', 'StanzaMissing', undefined]);
  const verified = { reason: 'Behind', message: 'it stands otherwise in a newer commit' };
  const [secret] = observedStatus('host', {
    secrets: [{ namespace: 'payments', name: 'db', state: 'ready', verified }],
  }).secrets;
  assert.deepEqual([secret?.state, secret?.reason, secret?.message], ['ready', ...Object.values(verified)]);
});

test('what an operator answers is read as what its objects say, with the troubles of its sources', () => {
  const trouble = { code: 'STANZA_MISSING', message: 'why', advice: 'what to do' };
  const secret = {
    namespace: 'payments',
    name: 'db',
    state: 'failed',
    trouble,
    workloads: ['payments/b', 'payments/a'],
  };
  const observed = observedStatus('host', { sources: [{ commit: 'c1', problems: [trouble] }], secrets: [secret] });
  assert.deepEqual(observed, {
    place: 'host',
    commits: ['c1'],
    secrets: [
      {
        ...{ namespace: 'payments', name: 'db', state: 'failed', namespaces: ['payments'] },
        ...{ reason: 'STANZA_MISSING', message: 'why what to do' },
      },
    ],
    problems: [trouble],
  });
});
