import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn } from './one-intake.ts';

test('of what takes much memory one is done at a time, in the order in which it was asked for, failed or not', async () => {
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise(setImmediate);
    log.push(`${name} ends`);
    if (name === 'b') throw new RangeError('b fails');
    return name;
  };
  const all = await Promise.allSettled(['a', 'b', 'c'].map((name) => inTurn(work(name))));
  assert.deepEqual(
    log,
    ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
  assert.deepEqual(
    all.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))),
    ['a', 'RangeError: b fails', 'c'],
  );
});

test('who waits for another is let go by its own signal, and is skipped then', async () => {
  const first = Promise.withResolvers<void>();
  const patience = new AbortController();
  const isDone: string[] = [];
  const blocking = inTurn(() => first.promise);
  const waiting = inTurn(async () => isDone.push('waiting'), patience.signal);
  const last = inTurn(async () => isDone.push('last'));
  patience.abort(new Error('too long'));
  await assert.rejects(waiting, /too long/);
  await assert.rejects(
    inTurn(async () => isDone.push('late'), patience.signal),
    /too long/,
  );
  first.resolve();
  await Promise.all([blocking, last]);
  assert.deepEqual(isDone, ['last']);
});
