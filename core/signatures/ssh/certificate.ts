import { type Refuse, refusal } from '../refusal.ts';
import { fingerprintOf, type PublicKey, readKeyParts } from './public-key.ts';
import { WireReader, wireString } from './wire.ts';

/** A certificate for a user's key (PROTOCOL.certkeys), whose authority's signature was not looked at yet. */
export interface Certificate {
  /** The key that it is for, with the blob and fingerprint that this key has without it. */
  key: PublicKey;
  serial: bigint;
  keyId: string;
  principals: readonly string[];
  /** In seconds since 1970; the end is not included. */
  validAfter: bigint;
  validBefore: bigint;
  /** The authority's key as SSH writes it. */
  authority: Buffer;
  signature: Buffer;
  /** What the authority signed. */
  signed: Buffer;
}

const SUFFIX = '-cert-v01@openssh.com';
const USER = 1;
/** As OpenSSH. */
const MOST_PRINCIPALS = 256;
/** A principal as the rules of a policy can name it; others are passed over. */
const PRINCIPAL = /^[^\s,!*?"\p{C}]{1,255}$/u;

export function isCertificate(blob: Buffer): boolean {
  if (blob.length < 4) return false;
  const type = blob.subarray(4, 4 + blob.readUInt32BE());
  return type.length < 128 && type.toString('latin1').endsWith(SUFFIX);
}

/**
 * @throws CofferError SIGNATURE_MALFORMED, SIGNATURE_KEY_NOT_VALID where it is not for a user or has a critical option,
 *   which restricts what it is good for in ways that are about logging in
 */
export function readCertificate(blob: Buffer): Certificate {
  const malformed: Refuse = (what) =>
    refusal('SIGNATURE_MALFORMED', `the signature is by a certificate that has ${what}`);
  const reader = new WireReader(blob, (what) => malformed(`a form that ${what}`));
  const type = plainType(reader.name(), malformed);
  reader.string();
  const start = reader.offset;
  const parts = readKeyParts(type, reader, malformed);
  const keyBlob = Buffer.concat([wireString(type), blob.subarray(start, reader.offset)]);
  const serial = reader.uint64();
  const isForUser = reader.uint32() === USER;
  const keyId = reader.string().toString('latin1');
  const principals = readPrincipals(reader.nested(), malformed);
  const [validAfter, validBefore] = [reader.uint64(), reader.uint64()];
  const hasOptions = reader.string().length > 0;
  reader.string();
  reader.string();
  const authority = reader.string();
  const signed = blob.subarray(0, reader.offset);
  const signature = reader.string();
  reader.end();
  if (!isForUser || hasOptions) {
    throw refusal('SIGNATURE_KEY_NOT_VALID', 'the signature is by a certificate for a host, or with critical options');
  }
  const key = { ...parts, type, blob: keyBlob, fingerprint: fingerprintOf(keyBlob) };
  return { key, serial, keyId, principals, validAfter, validBefore, authority, signature, signed };
}

function plainType(type: string, malformed: Refuse): string {
  if (!type.endsWith(SUFFIX)) throw malformed('another type than it says');
  const name = type.slice(0, -SUFFIX.length);
  return name.startsWith('sk-') ? `${name}@openssh.com` : name;
}

function readPrincipals(reader: WireReader, malformed: Refuse): string[] {
  const principals: string[] = [];
  while (!reader.isAtEnd) {
    if (principals.push(reader.string().toString('utf8')) > MOST_PRINCIPALS) throw malformed('too many principals');
  }
  return principals.filter((principal) => PRINCIPAL.test(principal));
}
