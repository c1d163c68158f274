import { timingSafeEqual } from 'node:crypto';
import { base64urlBytes, decodeBase64urlBytes } from '../crypto/base64-bytes.ts';
import { blake2b } from '../crypto/blake2b.ts';
import { Bug, CofferError } from '../errors.ts';

/**
 * Keys as people copy them (docs/format.md, "Recipients"): a prefix that says what it is, then base64url of the bytes
 * and of a check, so that a slip of the hand is noticed. Secret ones are in capitals, and never pass through strings.
 */

interface KeyTextKind {
  prefix: string;
  length: number;
  what: string;
}

const PUBLIC_KEY: KeyTextKind = { prefix: 'coffer-public-1-', length: 1216, what: 'public key' };
const SECRET_KEY: KeyTextKind = { prefix: 'COFFER-SECRET-1-', length: 32, what: 'secret key' };
const IDENTITY: KeyTextKind = { prefix: 'coffer-identity-1-', length: 32, what: 'identity' };
const IDENTITY_SECRET: KeyTextKind = { prefix: 'COFFER-IDENTITY-1-', length: 32, what: "identity's secret" };
const KINDS = [PUBLIC_KEY, SECRET_KEY, IDENTITY, IDENTITY_SECRET];

const CHECK_LENGTH = 4;

export function publicKeyText(publicKey: Uint8Array): string {
  return write(PUBLIC_KEY, publicKey).toString('latin1');
}

/** @returns 1,216 bytes. @throws CofferError KEY_TEXT_KIND, KEY_TEXT_MISTYPED; all four `parse` functions do. */
export function parsePublicKey(text: string): Buffer {
  return parse(PUBLIC_KEY, Buffer.from(text, 'utf8'));
}

export function identityText(identity: Uint8Array): string {
  return write(IDENTITY, identity).toString('latin1');
}

/** @returns an Ed25519 public key, 32 bytes. */
export function parseIdentity(text: string): Buffer {
  return parse(IDENTITY, Buffer.from(text, 'utf8'));
}

/** @returns ASCII, which the caller wipes. */
export function secretKeyText(seed: Uint8Array): Buffer {
  return write(SECRET_KEY, seed);
}

/** @param text ASCII. @returns the seed, 32 bytes, which the caller wipes. */
export function parseSecretKey(text: Uint8Array): Buffer {
  return parse(SECRET_KEY, text);
}

/** @returns ASCII, which the caller wipes. */
export function identitySecretText(identitySeed: Uint8Array): Buffer {
  return write(IDENTITY_SECRET, identitySeed);
}

/** @param text ASCII. @returns the Ed25519 seed, 32 bytes, which the caller wipes. */
export function parseIdentitySecret(text: Uint8Array): Buffer {
  return parse(IDENTITY_SECRET, text);
}

function write({ prefix, length, what }: KeyTextKind, bytes: Uint8Array): Buffer {
  if (bytes.length !== length) throw new Bug(`${what}: ${length} bytes`);
  const checked = join(bytes, check(prefix, bytes));
  const encoded = base64urlBytes(checked);
  const text = join(Buffer.from(prefix, 'latin1'), encoded);
  checked.fill(0);
  encoded.fill(0);
  return text;
}

function parse(kind: KeyTextKind, text: Uint8Array): Buffer {
  if (!startsWith(text, kind.prefix)) throw otherKind(kind, text);
  const checked = decode(kind, text.subarray(kind.prefix.length));
  const bytes = join(checked.subarray(0, kind.length));
  const claimed = join(checked.subarray(kind.length));
  checked.fill(0);
  if (claimed.length === CHECK_LENGTH && timingSafeEqual(claimed, check(kind.prefix, bytes))) return bytes;
  bytes.fill(0);
  throw mistyped(kind);
}

function decode(kind: KeyTextKind, digits: Uint8Array): Buffer {
  try {
    return decodeBase64urlBytes(digits);
  } catch (error) {
    if (error instanceof CofferError) throw mistyped(kind);
    throw error;
  }
}

function check(prefix: string, bytes: Uint8Array): Buffer {
  return blake2b(32, prefix, bytes).subarray(0, CHECK_LENGTH);
}

function startsWith(text: Uint8Array, prefix: string): boolean {
  return Buffer.from(prefix, 'latin1').equals(text.subarray(0, prefix.length));
}

/** Joined in memory that no other Buffer shares, so that wiping it wipes all of it. */
function join(...parts: Uint8Array[]): Buffer {
  const joined = Buffer.alloc(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

function otherKind(wanted: KeyTextKind, text: Uint8Array): CofferError {
  const found = KINDS.find(({ prefix }) => startsWith(text, prefix));
  const what = found === undefined ? '' : `; it is that of: ${found.what}`;
  return new CofferError('KEY_TEXT_KIND', `this is not the text of: ${wanted.what}${what}`, {
    advice: `Give the text that begins ${wanted.prefix}.`,
  });
}

function mistyped({ prefix, what }: KeyTextKind): CofferError {
  return new CofferError('KEY_TEXT_MISTYPED', `the text of this ${what} was mistyped, or is not whole`, {
    advice: `Copy the text that begins ${prefix} again from where it was made.`,
  });
}
