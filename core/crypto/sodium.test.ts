import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import type { Binding } from '../format/sealed/binding.ts';
import { newDataKey } from '../format/sealed/data-key.ts';
import { openStanza, sealStanza } from '../format/sealed/stanza.ts';
import { openValue, sealValue } from '../format/sealed/value.ts';
import { endorse } from '../keys/endorsement.ts';
import { keyIdOfSeed } from '../keys/key-id.ts';
import { parseSecretKey, secretKeyText } from '../keys/key-texts.ts';
import { inSodium, sodium, sodiumReady } from './sodium.ts';
import { decapsulate, encapsulate, publicKeyFromSeed } from './x-wing.ts';

const BINDING: Binding = { scope: 'strict', namespace: 'payments', name: 'payments-db' };

before(sodiumReady);

/** How many of the secret's 8-byte pieces are anywhere in libsodium's memory: data, stack and heap. */
function piecesLeft(secret: Uint8Array): number {
  const memory = Buffer.from(sodium().HEAPU8.buffer);
  let left = 0;
  for (let at = 0; at + 8 <= secret.length; at += 8) {
    if (memory.includes(secret.subarray(at, at + 8))) left += 1;
  }
  return left;
}

describe("libsodium's memory holds nothing afterwards", () => {
  const seed = randomBytes(32);
  const identitySeed = randomBytes(32);
  const plaintext = randomBytes(100);
  let dataKey: ReturnType<typeof newDataKey>;
  let recipient: { recipient: string; kid: string; publicKey: Buffer };

  before(() => {
    dataKey = newDataKey();
    recipient = { recipient: 'production', kid: keyIdOfSeed(seed), publicKey: publicKeyFromSeed(seed) };
  });

  test('the scan finds a secret while it is there', () => {
    inSodium((_, memory) => {
      memory.put(plaintext);
      assert.equal(piecesLeft(plaintext), 12);
    });
    assert.equal(piecesLeft(plaintext), 0);
  });

  test('after sealing and opening a stanza: the seed, what it expands to, the data key', () => {
    const stanza = sealStanza(dataKey, recipient, BINDING);
    openStanza(stanza, { ...recipient, seed }, BINDING, dataKey.id);
    const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest();
    assert.equal(piecesLeft(seed), 0);
    assert.equal(piecesLeft(expanded), 0);
    assert.equal(piecesLeft(dataKey.key), 0);
  });

  test('after encapsulating and decapsulating: the randomness and the shared secret', () => {
    const randomness = randomBytes(64);
    const { enc, sharedSecret } = encapsulate(recipient.publicKey, () => Buffer.from(randomness));
    assert.deepEqual(decapsulate(seed, enc), sharedSecret);
    assert.equal(piecesLeft(randomness), 0);
    assert.equal(piecesLeft(sharedSecret), 0);
  });

  test('after sealing and opening a value: the plaintext and the data key', () => {
    const sealed = sealValue(plaintext, dataKey, BINDING, 'password');
    openValue(sealed, dataKey.key, BINDING, 'password');
    assert.equal(piecesLeft(plaintext), 0);
    assert.equal(piecesLeft(dataKey.key), 0);
  });

  test('after endorsing: the identity, and the signing key that it expands to', () => {
    endorse(identitySeed, 'production', recipient.kid, '2026-11-21T09:00:00Z');
    const expanded = createHash('sha512').update(identitySeed).digest();
    assert.equal(piecesLeft(identitySeed), 0);
    assert.equal(piecesLeft(expanded), 0);
  });

  test('after writing and reading the text of a secret key', () => {
    parseSecretKey(secretKeyText(seed));
    assert.equal(piecesLeft(seed), 0);
  });

  test('after a refusal: the seed, the data key', () => {
    const stanza = sealStanza(dataKey, recipient, BINDING);
    const moved: Binding = { ...BINDING, name: 'orders-db' };
    assert.throws(() => openStanza(stanza, { ...recipient, seed }, moved, dataKey.id));
    const sealed = sealValue(plaintext, dataKey, BINDING, 'password');
    assert.throws(() => openValue(sealed, dataKey.key, moved, 'password'));
    for (const secret of [seed, dataKey.key, plaintext]) assert.equal(piecesLeft(secret), 0);
  });

  test('not without the wipe of its stack: there libsodium leaves shared secrets and the ends of plaintexts', () => {
    const module = sodium();
    const { enc } = encapsulate(recipient.publicKey, randomBytes);
    const sharedSecret = decapsulate(seed, enc);
    const room = module._malloc(2048);
    module.HEAPU8.set(enc, room);
    module.HEAPU8.set(seed, room + 1200);
    module._crypto_kem_xwing_dec(room + 1300, room, room + 1200);
    module.HEAPU8.fill(0, room, room + 2048);
    module._free(room);
    assert.notEqual(piecesLeft(sharedSecret), 0, 'it cleans up by itself now: the wipe may be given up');
    inSodium(() => undefined);
    assert.equal(piecesLeft(sharedSecret), 0);
  });
});

test('memory grows for what is large, and is given back', () => {
  const large = randomBytes(6 * 1024 * 1024);
  for (let round = 0; round < 5; round += 1) {
    inSodium((_, memory) => assert.deepEqual(memory.take(memory.put(large), large.length), large));
  }
  assert.ok(sodium().HEAPU8.length < 32 * 1024 * 1024);
  assert.equal(piecesLeft(large.subarray(0, 64)), 0);
});
