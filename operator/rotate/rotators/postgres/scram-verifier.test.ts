import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { scramVerifier } from './scram-verifier.ts';

test('the verifier accepts the proof of RFC 7677, section 3, and gives its signature', () => {
  const salt = 'W22ZaJ0SNY7soEsUEjb6gQ==';
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const exchange = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;

  const [, scheme, parts, keys] =
    /^(SCRAM-SHA-256)\$([^$]*)\$(.*)$/.exec(scramVerifier(Buffer.from('pencil'), Buffer.from(salt, 'base64'))) ?? [];
  const [storedKey = '', serverKey = ''] = (keys ?? '').split(':').map((key) => Buffer.from(key, 'base64'));

  assert.equal(`${scheme} ${parts}`, `SCRAM-SHA-256 4096:${salt}`);
  const clientSignature = createHmac('sha256', storedKey).update(exchange).digest();
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
  const clientKey = proof.map((byte, at) => byte ^ (clientSignature[at] ?? 0));
  assert.deepEqual(createHash('sha256').update(clientKey).digest(), storedKey);
  assert.equal(
    createHmac('sha256', serverKey).update(exchange).digest('base64'),
    '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  );
});

test('a password that SASLprep could change, or that is none, is refused', () => {
  for (const password of ['', 'pass word', 'pässword', 'ⅸ', 'I\u00adX', 'a\u0000b'])
    assert.throws(() => scramVerifier(Buffer.from(password)), { name: 'Bug' }, password);
});

test('each verifier has a salt of its own', () => {
  assert.notEqual(scramVerifier(Buffer.from('same')), scramVerifier(Buffer.from('same')));
});
