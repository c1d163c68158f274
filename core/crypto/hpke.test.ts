import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { hpkeOpen, hpkeSeal } from './hpke.ts';
import { sodiumReady } from './sodium.ts';
import { ENC_LENGTH, publicKeyFromSeed } from './x-wing.ts';

const seed = randomBytes(32);
const info = Buffer.from('what this is for');
let publicKey: Buffer;

before(async () => {
  await sodiumReady();
  publicKey = publicKeyFromSeed(seed);
});

describe('HPKE', () => {
  test('opens what was sealed, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (plaintext, anyInfo) => {
        assert.deepEqual(hpkeOpen(seed, anyInfo, hpkeSeal(publicKey, anyInfo, plaintext)), Buffer.from(plaintext));
      }),
      { numRuns: 50 },
    );
  });

  test('refuses another key, and another info', () => {
    const sealed = hpkeSeal(publicKey, info, Buffer.alloc(32));
    assert.throws(() => hpkeOpen(randomBytes(32), info, sealed), { code: 'HPKE_REFUSED' });
    assert.throws(() => hpkeOpen(seed, Buffer.concat([info, info]), sealed), { code: 'HPKE_REFUSED' });
    assert.throws(() => hpkeOpen(seed, Buffer.alloc(0), sealed), { code: 'HPKE_REFUSED' });
  });

  test('refuses what is too short to be sealed, at every length', () => {
    const sealed = hpkeSeal(publicKey, info, Buffer.alloc(0));
    for (const length of [0, 1, ENC_LENGTH - 1, ENC_LENGTH, sealed.length - 1]) {
      assert.throws(() => hpkeOpen(seed, info, sealed.subarray(0, length)), { code: 'HPKE_LENGTH' });
    }
    assert.deepEqual(hpkeOpen(seed, info, sealed), Buffer.alloc(0));
  });

  test('wipes the randomness that it was given', () => {
    const randomness = randomBytes(64);
    hpkeSeal(publicKey, info, Buffer.alloc(32), () => randomness);
    assert.deepEqual(randomness, Buffer.alloc(64));
  });
});
