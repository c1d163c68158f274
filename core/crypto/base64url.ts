import { CofferError } from '../errors.ts';

const ALPHABET = /^[A-Za-z0-9_-]*$/;

export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}

/**
 * Base64url without padding, strictly (docs/format.md, "Notation"): one text for one run of bytes. Node's own decoder
 * skips what it does not know and accepts set bits after the last byte.
 *
 * @throws CofferError ENCODING_BASE64URL
 */
export function decodeBase64url(text: string): Buffer {
  if (ALPHABET.test(text) && text.length % 4 !== 1) {
    const bytes = Buffer.from(text, 'base64url');
    if (bytes.toString('base64url') === text) return bytes;
  }
  throw new CofferError('ENCODING_BASE64URL', 'this is not base64url without padding', {
    advice: 'Copy the text again from where it was made, whole and without line breaks.',
  });
}
