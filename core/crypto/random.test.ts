import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemRandom } from './random.ts';

describe('the system’s random bytes', () => {
  test('are as many as asked for, across the edges of what is drawn at a time', () => {
    for (const length of [0, 1, 24, 31, 32, 63, 64, 65, 4096, 10_000]) {
      for (let round = 0; round < 200; round++) assert.equal(systemRandom(length).length, length);
    }
  });

  test('are never handed out twice, and one caller’s wiping reaches no other’s', () => {
    const seen = new Set<string>();
    const kept = systemRandom(24);
    const copy = kept.toString('hex');
    for (let round = 0; round < 20_000; round++) {
      const bytes = systemRandom(24);
      seen.add(bytes.toString('hex'));
      bytes.fill(0);
    }
    assert.equal(seen.size, 20_000);
    assert.equal(kept.toString('hex'), copy);
  });

  test('lie in memory of their own, not in the pool that buffers share', () => {
    assert.equal(systemRandom(32).buffer.byteLength, 32);
  });
});
