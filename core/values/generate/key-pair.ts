/** Private keys as PEM (PKCS #8, RFC 5958 and RFC 7468), with what of them is public. */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { base64Bytes } from '../../crypto/base64-bytes.ts';
import { ed25519Blob } from '../../signatures/ssh/sign-message.ts';

const generate = promisify(generateKeyPair);

export interface KeyPairText {
  privateKey: Buffer;
  publicKey: Buffer;
}

/** The public key as a line of `authorized_keys` (RFC 8709 §4), without a comment. */
export async function ed25519Pair(): Promise<KeyPairText> {
  const pair = await generate('ed25519');
  const { x = '' } = pair.publicKey.export({ format: 'jwk' });
  const blob = ed25519Blob(Buffer.from(x, 'base64url'));
  return {
    privateKey: privateKeyPem(pair.privateKey),
    publicKey: Buffer.from(`ssh-ed25519 ${blob.toString('base64')}\n`),
  };
}

/** The public key as PEM (SubjectPublicKeyInfo). */
export async function rsaPair(bits: number): Promise<KeyPairText> {
  const pair = await generate('rsa', { modulusLength: bits });
  return {
    privateKey: privateKeyPem(pair.privateKey),
    publicKey: Buffer.from(pair.publicKey.export({ type: 'spki', format: 'pem' })),
  };
}

/** Node gives PEM as a string, which cannot be wiped; DER comes as bytes. */
export function privateKeyPem(key: KeyObject): Buffer {
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const text = base64Bytes(der);
  der.fill(0);
  const lines: Buffer[] = [];
  for (let at = 0; at < text.length; at += 64) lines.push(text.subarray(at, at + 64), Buffer.from('\n'));
  const pem = Buffer.concat([
    Buffer.from('-----BEGIN PRIVATE KEY-----\n'),
    ...lines,
    Buffer.from('-----END PRIVATE KEY-----\n'),
  ]);
  text.fill(0);
  return pem;
}
