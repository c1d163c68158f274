/**
 * A sealed value: `EJ[1:` ephemeral public key `:` nonce `:` box `]`, each in standard base64. The box is NaCl's
 * crypto_box: Poly1305 tag, then ciphertext.
 */

import { decodeBase64, isBase64Character } from './base64.ts';
import { KEY_LENGTH } from './keypair.ts';
import { NONCE_LENGTH, OVERHEAD } from './secretbox.ts';

/** Where the parts stand: the first two have fixed lengths. */
const KEY_START = 5;
const KEY_END = KEY_START + 44;
const NONCE_START = KEY_END + 1;
const NONCE_END = NONCE_START + 32;
const BOX_START = NONCE_END + 1;

const LINE_FEED = 0x0a;
const COLON = 0x3a;
const VERSION_1 = 0x31;

/** Whether a string is sealed, and its parts. One object reads any number of strings, and holds the parts of the last. */
export class BoxedMessage {
  /** The public key of the run that sealed it. */
  readonly encrypterPublic = Buffer.alloc(KEY_LENGTH);
  readonly nonce = Buffer.alloc(NONCE_LENGTH);
  #space = Buffer.alloc(1024);
  #boxLength = 0;

  get box(): Buffer {
    return this.#space.subarray(0, this.#boxLength);
  }

  /**
   * Reads `bytes[start..end)`, a JSON string without quotes and escapes. 'malformed' if the tool would take it for a box
   * although nobody can open it: it may be a damaged box, or plaintext that the tool would leave readable.
   */
  read(bytes: Buffer, start = 0, end = bytes.length): 'boxed' | 'malformed' | 'plaintext' {
    if (!hasOutline(bytes, start, end)) return 'plaintext';
    if (end - start > this.#space.length) this.#space = Buffer.alloc(2 * (end - start));
    this.#boxLength = decodeBase64(bytes, start + BOX_START, end - 1, this.#space);
    const isWhole =
      bytes[start + 3] === VERSION_1 &&
      this.#boxLength >= OVERHEAD &&
      decodeBase64(bytes, start + KEY_START, start + KEY_END, this.encrypterPublic) === KEY_LENGTH &&
      decodeBase64(bytes, start + NONCE_START, start + NONCE_END, this.nonce) === NONCE_LENGTH;
    if (isWhole) return 'boxed';
    return bytes.subarray(start, end).includes(LINE_FEED) ? 'plaintext' : 'malformed';
  }
}

export function formatBoxedMessage(encrypterPublic: string, nonce: Buffer, box: Uint8Array): string {
  const boxText = Buffer.from(box.buffer, box.byteOffset, box.byteLength).toString('base64');
  return `EJ[1:${encrypterPublic}:${nonce.toString('base64')}:${boxText}]`;
}

/** What the tool takes for sealed already: `EJ[` digit `:` 44 and 32 characters of base64, `:`, anything, `]`. */
function hasOutline(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== 0x45 || bytes[start + 1] !== 0x4a || bytes[start + 2] !== 0x5b) return false;
  if (end - start < BOX_START + 2 || bytes[end - 1] !== 0x5d) return false;
  const version = bytes[start + 3] ?? 0;
  if (version < 0x30 || version > 0x39) return false;
  for (const colon of [KEY_START, NONCE_START, BOX_START]) if (bytes[start + colon - 1] !== COLON) return false;
  for (let at = KEY_START; at < NONCE_END; at++) {
    if (at !== KEY_END && !isBase64Character(bytes[start + at])) return false;
  }
  return true;
}
