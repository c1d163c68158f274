import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeLimit } from '../time-limit.ts';
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
  const waiting = inTurn(async () => isDone.push('waiting'), { signal: patience.signal });
  const last = inTurn(async () => isDone.push('last'));
  patience.abort(new Error('too long'));
  await assert.rejects(waiting, /too long/);
  await assert.rejects(
    inTurn(async () => isDone.push('late'), { signal: patience.signal }),
    /too long/,
  );
  first.resolve();
  await Promise.all([blocking, last]);
  assert.deepEqual(isDone, ['last']);
});

test('the time in which another has its turn counts against nobody’s limit, and that of one’s own does', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const first = Promise.withResolvers<void>();
  const blocking = inTurn(() => first.promise);
  const limit = new TimeLimit(60_000);
  const begun = Promise.withResolvers<void>();
  const waiting = inTurn(
    async () => {
      begun.resolve();
      await new Promise((_, reject) => limit.signal.addEventListener('abort', () => reject(limit.signal.reason)));
    },
    { signal: limit.signal, limit },
  );
  t.mock.timers.tick(3_600_000);
  assert.ok(!limit.signal.aborted);
  first.resolve();
  await Promise.all([blocking, begun.promise]);
  t.mock.timers.tick(60_000);
  await assert.rejects(waiting, { name: 'TimeoutError' });
});
