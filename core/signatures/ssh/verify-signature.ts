import { createHash, verify } from 'node:crypto';
import { type Refuse, refusal } from '../refusal.ts';
import type { Curve, PublicKey } from './public-key.ts';
import { WireReader } from './wire.ts';

/** RFC 8332. The SHA-1 of RFC 4253, which is called like the key, is not among them. */
const RSA_HASHES = new Map([
  ['rsa-sha2-256', 'sha256'],
  ['rsa-sha2-512', 'sha512'],
]);

/** PROTOCOL.u2f: somebody touched the authenticator. */
const USER_PRESENT = 0x01;

/**
 * Verifies what SSH calls a signature: the algorithm and the signature proper, and of a key in an authenticator its flags
 * and counter, which it signed too (PROTOCOL.u2f). allowed_signers has no option that would do without a touch.
 *
 * @throws CofferError SIGNATURE_MALFORMED, SIGNATURE_ALGORITHM, SIGNATURE_NO_TOUCH, SIGNATURE_BAD
 */
export function verifySignature(key: PublicKey, signature: Buffer, data: Buffer): void {
  const malformed: Refuse = (what) => refusal('SIGNATURE_MALFORMED', `the signature ${what}`);
  const reader = new WireReader(signature, malformed);
  const algorithm = reader.name();
  const proper = reader.string();
  const signed = key.application === undefined ? data : authenticated(key.application, reader, data);
  reader.end();
  if (!holds(key, algorithm, proper, signed, malformed)) {
    throw refusal('SIGNATURE_BAD', `the signature by ${key.fingerprint} does not fit what it signs`);
  }
}

function authenticated(application: string, reader: WireReader, data: Buffer): Buffer {
  const flags = reader.bytes(1);
  const counter = reader.bytes(4);
  if ((flags.readUInt8() & USER_PRESENT) === 0) {
    throw refusal('SIGNATURE_NO_TOUCH', 'the signature was made by an authenticator that nobody touched');
  }
  return Buffer.concat([sha256(application), flags, counter, sha256(data)]);
}

function holds(key: PublicKey, algorithm: string, proper: Buffer, data: Buffer, malformed: Refuse): boolean {
  if (key.scheme === 'rsa') {
    const hash = RSA_HASHES.get(algorithm);
    if (hash === undefined) throw algorithmRefused();
    return proper.length === modulusBytes(key) && verify(hash, data, key.key, proper);
  }
  if (algorithm !== key.type) throw algorithmRefused();
  if (key.curve === undefined) return proper.length === 64 && verify(null, data, key.key, proper);
  const signature = fixedLength(proper, key.curve, malformed);
  return verify(key.curve.hash, data, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature);
}

/** RFC 5656 §3.1.2: r and s; here in the length of the curve, as OpenSSL takes them without DER. */
function fixedLength(proper: Buffer, { size }: Curve, malformed: Refuse): Buffer {
  const reader = new WireReader(proper, malformed);
  const halves = [reader.positive(), reader.positive()];
  reader.end();
  const fixed = Buffer.alloc(2 * size);
  for (const [index, half] of halves.entries()) {
    if (half.length > size) throw malformed('has a number that is too large for its curve');
    half.copy(fixed, (index + 1) * size - half.length);
  }
  return fixed;
}

const modulusBytes = ({ key }: PublicKey): number => Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();

const algorithmRefused = () =>
  refusal('SIGNATURE_ALGORITHM', 'the signature was made with SHA-1, or in a way that its key does not allow');
