import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CofferError } from '../../../core/errors.ts';
import { Delivery } from './delivery.ts';

const never = new AbortController().signal;

test('where trust refuses what is in the way, the source is woken a few times and not for ever, and then people are told', async () => {
  let wakes = 0;
  const waits = () =>
    Promise.reject(
      new CofferError('PUSH_WAITS', 'the branch is not what was accepted', { advice: 'Wait.', loop: 'retry' }),
    );
  const delivery = new Delivery({
    cluster: 'production',
    proposals: { publish: async () => undefined, withdraw: async () => undefined, read: async () => undefined },
    pushers: new Map([['main', { push: waits, close: () => undefined }]]),
    audit: { append: async () => undefined },
    wake: () => wakes++,
  });
  const value = { path: 'db.yaml', namespace: 'payments', name: 'db', entry: 'password', text: 'sealed' };
  const parcel = { source: 'main', commit: 'c', values: [value], stanzas: new Map(), operations: new Map() };
  const told: string[][] = [];
  for (let look = 0; look < 10; look++) {
    told.push((await delivery.deliver([parcel], never)).map(({ code }) => code));
  }
  assert.equal(wakes, 2);
  assert.deepEqual(told.slice(0, 3), [[], [], ['PUSH_WAITS']]);
  assert.deepEqual(told.at(-1), ['PUSH_WAITS']);
});
