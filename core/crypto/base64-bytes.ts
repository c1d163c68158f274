import { CofferError } from '../errors.ts';

/**
 * Base64 from bytes to bytes, for what is secret: Node's own coders go through strings, which cannot be wiped. RFC 4648
 * §4 (with padding) and §5 (the alphabet of URLs, without).
 */

const COMMON = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const STANDARD = Buffer.from(`${COMMON}+/`, 'latin1');
const URL_SAFE = Buffer.from(`${COMMON}-_`, 'latin1');
const PADDING = 0x3d;

export function base64Bytes(bytes: Uint8Array): Buffer {
  const encoded = Buffer.alloc(Math.ceil(bytes.length / 3) * 4, PADDING);
  encodeInto(encoded, bytes, STANDARD);
  return encoded;
}

export function base64urlBytes(bytes: Uint8Array): Buffer {
  const encoded = Buffer.alloc(Math.ceil((bytes.length * 4) / 3));
  encodeInto(encoded, bytes, URL_SAFE);
  return encoded;
}

function encodeInto(encoded: Buffer, bytes: Uint8Array, alphabet: Uint8Array): void {
  let offset = 0;
  let bits = 0;
  let group = 0;
  for (const byte of bytes) {
    group = ((group << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      encoded[offset] = alphabet[(group >> bits) & 0x3f] ?? 0;
      offset += 1;
    }
  }
  if (bits > 0) encoded[offset] = alphabet[(group << (6 - bits)) & 0x3f] ?? 0;
}

const sextetsOf = (alphabet: Uint8Array) => new Map(Array.from(alphabet, (digit, sextet) => [digit, sextet]));
const STANDARD_SEXTETS = sextetsOf(STANDARD);
const URL_SAFE_SEXTETS = sextetsOf(URL_SAFE);

/**
 * As strict as `decodeBase64url`.
 *
 * @throws CofferError ENCODING_BASE64URL
 */
export function decodeBase64urlBytes(text: Uint8Array): Buffer {
  return decodeWith(URL_SAFE_SEXTETS, text) ?? refuse('ENCODING_BASE64URL', 'this is not base64url without padding');
}

/**
 * As strict, with padding.
 *
 * @throws CofferError ENCODING_BASE64
 */
export function decodeBase64Bytes(text: Uint8Array): Buffer {
  const padding = text.at(-1) !== PADDING ? 0 : text.at(-2) !== PADDING ? 1 : 2;
  const decoded =
    text.length % 4 === 0 ? decodeWith(STANDARD_SEXTETS, text.subarray(0, -padding || undefined)) : undefined;
  return decoded ?? refuse('ENCODING_BASE64', 'this is not base64 with its padding');
}

function decodeWith(sextets: ReadonlyMap<number, number>, text: Uint8Array): Buffer | undefined {
  const bytes = Buffer.alloc(Math.floor((text.length * 3) / 4));
  let offset = 0;
  let bits = 0;
  let group = 0;
  for (const digit of text) {
    const sextet = sextets.get(digit);
    if (sextet === undefined) return wiped(bytes);
    group = ((group << 6) | sextet) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[offset] = (group >> bits) & 0xff;
      offset += 1;
    }
  }
  const leftover = group & ((1 << bits) - 1);
  if (text.length % 4 === 1 || leftover !== 0) return wiped(bytes);
  return bytes;
}

function wiped(bytes: Buffer): undefined {
  bytes.fill(0);
}

function refuse(code: 'ENCODING_BASE64' | 'ENCODING_BASE64URL', message: string): never {
  throw new CofferError(code, message, {
    advice: 'Copy the text again from where it was made, whole and without line breaks.',
  });
}
