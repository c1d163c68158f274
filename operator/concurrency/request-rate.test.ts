import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestRate } from './request-rate.ts';

test('a burst is let through, then as much as was allowed in the time, for each caller on its own', () => {
  let now = 0;
  const rate = new RequestRate(2, 3, () => now);
  const admitted = (caller: string, times: number) =>
    Array.from({ length: times }, () => rate.admits(caller)).filter(Boolean).length;
  assert.equal(admitted('a', 10), 3);
  assert.equal(admitted('b', 2), 2);
  now += 1000;
  assert.equal(admitted('a', 10), 2);
  now += 60_000;
  assert.equal(admitted('a', 10), 3);
});
