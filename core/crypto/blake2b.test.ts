import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { blake2b } from './blake2b.ts';
import { sodiumReady } from './sodium.ts';

before(sodiumReady);

test('the digest of 512 bits is that of OpenSSL, however the input is parted', () => {
  for (const length of [0, 1, 127, 128, 129, 1000]) {
    const input = randomBytes(length);
    const expected = createHash('blake2b512').update(input).digest();
    assert.deepEqual(blake2b(64, input), expected);
    assert.deepEqual(blake2b(64, input.subarray(0, length >> 1), input.subarray(length >> 1)), expected);
  }
});

test('a shorter digest is not a longer one cut off', () => {
  assert.notDeepEqual(blake2b(16, 'x'), blake2b(32, 'x').subarray(0, 16));
});
