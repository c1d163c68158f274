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

const SEXTETS = new Map(Array.from(URL_SAFE, (digit, sextet) => [digit, sextet]));

/**
 * As strict as `decodeBase64url`.
 *
 * @throws CofferError ENCODING_BASE64URL
 */
export function decodeBase64urlBytes(text: Uint8Array): Buffer {
  const bytes = Buffer.alloc(Math.floor((text.length * 3) / 4));
  let offset = 0;
  let bits = 0;
  let group = 0;
  for (const digit of text) {
    const sextet = SEXTETS.get(digit);
    if (sextet === undefined) throw refused(bytes);
    group = ((group << 6) | sextet) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[offset] = (group >> bits) & 0xff;
      offset += 1;
    }
  }
  const leftover = group & ((1 << bits) - 1);
  if (text.length % 4 === 1 || leftover !== 0) throw refused(bytes);
  return bytes;
}

function refused(bytes: Buffer): CofferError {
  bytes.fill(0);
  return new CofferError('ENCODING_BASE64URL', 'this is not base64url without padding', {
    advice: 'Copy the text again from where it was made, whole and without line breaks.',
  });
}
