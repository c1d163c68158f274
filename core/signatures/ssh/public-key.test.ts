import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { mpint, string } from '../../../test/signatures/wire.ts';
import { CofferError } from '../../errors.ts';
import { readPublicKey } from './public-key.ts';

const refuse = (what: string) => new CofferError('SIGNERS_ALLOWED_LINE', what, { advice: 'Correct it.' });
const read = (...fields: Buffer[]) => readPublicKey(Buffer.concat(fields), refuse);

/** A point of the curve by its y, little-endian, with the sign of x as the last byte's high bit. */
const ed25519 = (y: string) => () => read(string('ssh-ed25519'), string(Buffer.from(y, 'hex')));
const coordinates = (curve: string) => {
  const { x, y } = generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({ format: 'jwk' });
  return [x, y].map((coordinate) => Buffer.from(coordinate ?? '', 'base64url'));
};
const ecdsa = (name: string, curve: string, point: Buffer) => () =>
  read(string(`ecdsa-sha2-${name}`), string(curve), string(point));
const uncompressed = (curve: string) => Buffer.concat([Buffer.of(4), ...coordinates(curve)]);
const modulus = Buffer.from(
  String(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }).n),
  'base64url',
);
const F3 = Buffer.of(1, 0, 1);
const rsa = (e: Buffer, n: Buffer) => () => read(string('ssh-rsa'), e, n);

const PRIME_LESS_ONE = `ec${'ff'.repeat(30)}7f`;

describe('a key is refused', () => {
  const table: [string, () => unknown][] = [
    ['Ed25519: the point 0', ed25519('00'.repeat(32))],
    ['Ed25519: the point 0 with a sign', ed25519(`${'00'.repeat(31)}80`)],
    ['Ed25519: the neutral point', ed25519(`01${'00'.repeat(31)}`)],
    ['Ed25519: of order 2', ed25519(PRIME_LESS_ONE)],
    ['Ed25519: of order 8', ed25519('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')],
    ['Ed25519: of order 8, another', ed25519('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa')],
    ['Ed25519: not below the prime', ed25519(`ee${'ff'.repeat(30)}7f`)],
    ['Ed25519: the prime, which is 0', ed25519(`ed${'ff'.repeat(30)}7f`)],
    ['Ed25519: short', ed25519('05'.repeat(31))],
    ['Ed25519: with something behind', () => read(string('ssh-ed25519'), string(Buffer.alloc(32, 5)), Buffer.of(0))],
    ['ECDSA: another curve than the type', ecdsa('nistp256', 'nistp384', uncompressed('P-384'))],
    ['ECDSA: not on the curve', ecdsa('nistp256', 'nistp256', Buffer.concat([Buffer.of(4), Buffer.alloc(64, 5)]))],
    ['ECDSA: infinity', ecdsa('nistp256', 'nistp256', Buffer.of(0))],
    [
      'ECDSA: compressed',
      ecdsa('nistp256', 'nistp256', Buffer.concat([Buffer.of(2), ...coordinates('P-256').slice(0, 1)])),
    ],
    ['RSA: of 2,047 bits', rsa(mpint(F3), mpint(Buffer.concat([Buffer.of(0x7f), modulus.subarray(1)])))],
    ['RSA: even', rsa(mpint(F3), mpint(Buffer.concat([modulus.subarray(0, -1), Buffer.of(2)])))],
    ['RSA: exponent 1', rsa(mpint(Buffer.of(1)), mpint(modulus))],
    ['RSA: exponent even', rsa(mpint(Buffer.of(2)), mpint(modulus))],
    ['RSA: exponent very long', rsa(mpint(modulus), mpint(modulus))],
    ['RSA: with a zero too many', rsa(mpint(F3), string(Buffer.concat([Buffer.alloc(2), modulus])))],
    ['RSA: negative', rsa(mpint(F3), string(modulus))],
    ['RSA: very large', rsa(mpint(F3), mpint(Buffer.alloc(3000, 0x55)))],
    ['DSA', () => read(string('ssh-dss'), ...Array.from({ length: 4 }, () => mpint(modulus)))],
    ['of no type', () => read(string(''))],
    ['of a length beyond its end', () => read(string('ssh-ed25519'), Buffer.of(0xff, 0xff, 0xff, 0xff))],
  ];
  for (const [name, make] of table) test(name, () => assert.throws(make, { code: 'SIGNERS_ALLOWED_LINE' }));
});

test('a key of each type is the one that was written', () => {
  const generated = [
    ed25519(rawEd25519().toString('hex'))(),
    ecdsa('nistp384', 'nistp384', uncompressed('P-384'))(),
    ecdsa('nistp521', 'nistp521', uncompressed('P-521'))(),
    rsa(mpint(F3), mpint(modulus))(),
    read(string('sk-ssh-ed25519@openssh.com'), string(rawEd25519()), string('ssh:')),
  ];
  assert.deepEqual(
    generated.map(({ type, scheme, application, curve }) => [type, scheme, application ?? curve?.hash]),
    [
      ['ssh-ed25519', 'ed25519', undefined],
      ['ecdsa-sha2-nistp384', 'ecdsa', 'sha384'],
      ['ecdsa-sha2-nistp521', 'ecdsa', 'sha512'],
      ['ssh-rsa', 'rsa', undefined],
      ['sk-ssh-ed25519@openssh.com', 'ed25519', 'ssh:'],
    ],
  );
  assert.equal(generated[3]?.key.asymmetricKeyDetails?.modulusLength, 2048);
});

function rawEd25519(): Buffer {
  const { privateKey } = generateKeyPairSync('ed25519');
  return Buffer.from(String(createPublicKey(privateKey).export({ format: 'jwk' }).x), 'base64url');
}
