import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health } from './health.ts';

test('a standby is ready; who leads is ready when every source was projected', () => {
  const health = new Health();
  assert.equal(health.isReady(), false);
  health.phase = 'standby';
  assert.equal(health.isReady(), true);
  health.phase = 'leading';
  assert.equal(health.isReady(), false);
  health.isProjected = () => true;
  assert.equal(health.isReady(), true);
});

test('a process in which nothing came to an end for ten minutes is not alive', (t) => {
  let now = performance.now();
  t.mock.method(performance, 'now', () => now);
  const health = new Health();
  now += 9 * 60_000;
  assert.equal(health.isAlive(), true);
  health.beat();
  now += 9 * 60_000;
  assert.equal(health.isAlive(), true);
  now += 2 * 60_000;
  assert.equal(health.isAlive(), false);
});
