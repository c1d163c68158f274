import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { before, test } from 'node:test';
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from './ed25519.ts';
import { sodiumReady } from './sodium.ts';

before(sodiumReady);

/** RFC 8032, section 7.1: seed, public key, message, signature. */
const VECTORS = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;

test('signs as RFC 8032 does, and others verify it', () => {
  for (const [seed, publicKey, message, signature] of VECTORS) {
    const bytes = Buffer.from(message, 'hex');
    const made = ed25519Sign(Buffer.from(seed, 'hex'), bytes);
    assert.equal(ed25519PublicKey(Buffer.from(seed, 'hex')).toString('hex'), publicKey);
    assert.equal(made.toString('hex'), signature);
    const pkcs8 = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex');
    const key = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
    assert.ok(verify(null, bytes, key, made));
  }
});

test('verifies nothing but what was signed, by nobody else, and is not thrown off by what is no key or signature', () => {
  const [[seed, publicKey], [, other]] = VECTORS;
  const message = Buffer.from('a checkpoint');
  const [key, signature] = [Buffer.from(publicKey, 'hex'), ed25519Sign(Buffer.from(seed, 'hex'), message)];
  assert.ok(ed25519Verify(key, signature, message));
  assert.ok(!ed25519Verify(Buffer.from(other, 'hex'), signature, message));
  assert.ok(!ed25519Verify(key, signature, Buffer.from('another')));
  for (const at of [0, 31, 32, 63]) {
    const flipped = Buffer.from(signature);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    assert.ok(!ed25519Verify(key, flipped, message));
  }
  assert.ok(!ed25519Verify(key, signature.subarray(1), message));
  assert.ok(!ed25519Verify(Buffer.alloc(0), signature, message));
  // Of low order: it would make many signatures good.
  assert.ok(!ed25519Verify(Buffer.concat([Buffer.of(1), Buffer.alloc(31)]), Buffer.alloc(64), message));
});
