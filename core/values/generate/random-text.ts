/** Random values as bytes of their text. Nothing here passes through a string, which could not be wiped. */
import { randomBytes } from 'node:crypto';
import { base64Bytes } from '../../crypto/base64-bytes.ts';

/** Letters and digits: no character that a shell, URL, DSN or YAML reads as something else. */
const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789');
const HEX = Buffer.from('0123456789abcdef');

/** `length` characters of 62, each as likely: random bytes at or above the largest multiple of 62 are thrown away. */
export function randomPassword(length: number): Buffer {
  const limit = 256 - (256 % ALPHABET.length);
  const text = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const random = randomBytes(length * 2);
    for (const byte of random) {
      if (byte >= limit || filled === length) continue;
      text[filled] = ALPHABET[byte % ALPHABET.length] ?? 0;
      filled += 1;
    }
    random.fill(0);
  }
  return text;
}

/** `length` random bytes, in hexadecimal. */
export function randomHex(length: number): Buffer {
  return wiping(randomBytes(length), hexBytes);
}

/** `length` random bytes, in base64 with padding. */
export function randomBase64(length: number): Buffer {
  return wiping(randomBytes(length), base64Bytes);
}

/** Version 4 of RFC 9562 §5.4. */
export function randomUuid(): Buffer {
  return wiping(randomBytes(16), (bytes) => {
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return wiping(hexBytes(bytes), (hex) => {
      const groups = [hex.subarray(0, 8), hex.subarray(8, 12), hex.subarray(12, 16), hex.subarray(16, 20)];
      const dash = Buffer.from('-');
      return Buffer.concat([...groups.flatMap((group) => [group, dash]), hex.subarray(20)]);
    });
  });
}

function hexBytes(bytes: Uint8Array): Buffer {
  const text = Buffer.alloc(bytes.length * 2);
  for (const [index, byte] of bytes.entries()) {
    text[index * 2] = HEX[byte >> 4] ?? 0;
    text[index * 2 + 1] = HEX[byte & 0x0f] ?? 0;
  }
  return text;
}

function wiping<Result>(secret: Buffer, use: (secret: Buffer) => Result): Result {
  try {
    return use(secret);
  } finally {
    secret.fill(0);
  }
}
