import { createHash, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import type { Refuse } from '../refusal.ts';
import { isUsualPoint } from './ed25519-point.ts';
import { WireReader } from './wire.ts';

/** A public key that can verify. */
export interface PublicKey {
  /** As in front of it in a file: `ssh-ed25519`. */
  type: string;
  /** As SSH writes it; two keys are the same where this is, since each has one form only. */
  blob: Buffer;
  /** `SHA256:…` as ssh-keygen prints it. */
  fingerprint: string;
  scheme: 'ed25519' | 'ecdsa' | 'rsa';
  key: KeyObject;
  /** Of ECDSA: what the curve goes with (RFC 5656 §6.2.1), and the bytes of a coordinate. */
  curve?: Curve;
  /** Of a key in an authenticator (PROTOCOL.u2f): what it was made for, usually `ssh:`. */
  application?: string;
}

export interface Curve {
  hash: 'sha256' | 'sha384' | 'sha512';
  size: number;
}

const CURVES = new Map<string, Curve & { crv: string }>([
  ['nistp256', { crv: 'P-256', hash: 'sha256', size: 32 }],
  ['nistp384', { crv: 'P-384', hash: 'sha384', size: 48 }],
  ['nistp521', { crv: 'P-521', hash: 'sha512', size: 66 }],
]);

const SMALLEST_RSA = 2048;
/** As OpenSSH; a larger one only costs time. */
const LARGEST_RSA = 16384;

type Parts = Pick<PublicKey, 'scheme' | 'key' | 'curve' | 'application'>;

/**
 * What may stand in front of a key. DSA is gone since OpenSSH 10, and `ssh-rsa` names the key, not the SHA-1 signature
 * of the same name.
 */
const TYPES = new Map<string, (reader: WireReader, refuse: Refuse) => Parts>([
  ['ssh-ed25519', readEd25519],
  ['ecdsa-sha2-nistp256', (reader, refuse) => readEcdsa('nistp256', reader, refuse)],
  ['ecdsa-sha2-nistp384', (reader, refuse) => readEcdsa('nistp384', reader, refuse)],
  ['ecdsa-sha2-nistp521', (reader, refuse) => readEcdsa('nistp521', reader, refuse)],
  ['ssh-rsa', readRsa],
  ['sk-ssh-ed25519@openssh.com', (reader, refuse) => inAuthenticator(readEd25519(reader, refuse), reader)],
  [
    'sk-ecdsa-sha2-nistp256@openssh.com',
    (reader, refuse) => inAuthenticator(readEcdsa('nistp256', reader, refuse), reader),
  ],
]);

export const isKeyType = (type: string): boolean => TYPES.has(type);

/** `SHA256:…` of anything that is written as a key. */
export const fingerprintOf = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=$/, '')}`;

/** Reads a key in its one canonical form (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, PROTOCOL.u2f). */
export function readPublicKey(blob: Buffer, refuse: Refuse): PublicKey {
  const reader = new WireReader(blob, (what) => refuse(`a key that ${what}`));
  const type = reader.name();
  const parts = readKeyParts(type, reader, refuse);
  reader.end();
  return { type, blob, fingerprint: fingerprintOf(blob), ...parts };
}

/** What stands behind the type, which is also what a certificate repeats. */
export function readKeyParts(type: string, reader: WireReader, refuse: Refuse): Parts {
  const read = TYPES.get(type);
  if (read === undefined) throw refuse('a key of a type that coffer does not know');
  return read(reader, refuse);
}

function readEd25519(reader: WireReader, refuse: Refuse): Parts {
  const point = reader.string();
  if (!isUsualPoint(point)) throw refuse('an Ed25519 key of low order, which protects nothing');
  return { scheme: 'ed25519', key: imported({ kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') }, refuse) };
}

function readEcdsa(name: string, reader: WireReader, refuse: Refuse): Parts {
  const curve = CURVES.get(reader.name());
  const point = reader.string();
  if (curve === undefined || curve !== CURVES.get(name))
    throw refuse('an ECDSA key on another curve than its type names');
  const { crv, hash, size } = curve;
  if (point.length !== 1 + 2 * size || point[0] !== 4) throw refuse('an ECDSA key that is not an uncompressed point');
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)].map((half) => half.toString('base64url'));
  return { scheme: 'ecdsa', key: imported({ kty: 'EC', crv, x, y }, refuse), curve: { hash, size } };
}

function readRsa(reader: WireReader, refuse: Refuse): Parts {
  const exponent = reader.positive();
  const modulus = reader.positive();
  const bits = modulus.length * 8 - Math.clz32(modulus.readUInt8()) + 24;
  if (bits < SMALLEST_RSA) throw refuse(`an RSA key of ${bits} bits, which is fewer than ${SMALLEST_RSA}`);
  if (bits > LARGEST_RSA) throw refuse(`an RSA key of more than ${LARGEST_RSA} bits`);
  const isOdd = (number: Buffer) => (number.at(-1) ?? 0) % 2 === 1;
  const isSound = isOdd(modulus) && isOdd(exponent) && exponent.length <= 8 && !exponent.equals(Buffer.from([1]));
  if (!isSound) throw refuse('an RSA key of numbers that cannot be one');
  const [n, e] = [modulus, exponent].map((number) => number.toString('base64url'));
  return { scheme: 'rsa', key: imported({ kty: 'RSA', n, e }, refuse) };
}

function inAuthenticator(parts: Parts, reader: WireReader): Parts {
  return { ...parts, application: reader.name() };
}

function imported(key: webcrypto.JsonWebKey, refuse: Refuse): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw refuse('a key that is no point on its curve');
  }
}
