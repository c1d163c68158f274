/**
 * A sealed value: `EJ[1:` ephemeral public key `:` nonce `:` box `]`, each in standard base64. The box is NaCl's
 * crypto_box: Poly1305 tag, then ciphertext.
 */

import { KEY_LENGTH } from './keypair.ts';
import { NONCE_LENGTH, OVERHEAD } from './secretbox.ts';

export interface BoxedMessage {
  /** Base64 as it stands in the text: equal for all values of one run, so it finds the shared key of that run. */
  encrypterPublic: string;
  nonce: Buffer;
  box: Buffer;
}

/** What the tool takes for sealed already, and so leaves as it is; more than what it can open. */
const TAKEN_FOR_BOXED = /^EJ\[(\d):([A-Za-z0-9+=/]{44}):([A-Za-z0-9+=/]{32}):([^\n]+)\]$/;

/**
 * Undefined if `content` is plaintext. 'malformed' if the tool would take it for a box although nobody can open it: it
 * may be a damaged box, or plaintext that the tool would leave readable.
 */
export function parseBoxedMessage(content: Buffer): BoxedMessage | 'malformed' | undefined {
  if (content[0] !== 0x45 || content[1] !== 0x4a || content[2] !== 0x5b) return undefined;
  const [whole, version, encrypterPublic = '', nonceText = '', boxText = ''] =
    TAKEN_FOR_BOXED.exec(content.toString('utf8')) ?? [];
  if (whole === undefined) return undefined;
  const nonce = decodeBase64(nonceText);
  const box = decodeBase64(boxText);
  if (version !== '1' || nonce?.length !== NONCE_LENGTH || box === undefined || box.length < OVERHEAD)
    return 'malformed';
  return decodeBase64(encrypterPublic)?.length === KEY_LENGTH ? { encrypterPublic, nonce, box } : 'malformed';
}

export function formatBoxedMessage(encrypterPublic: string, nonce: Buffer, box: Uint8Array): string {
  const boxText = Buffer.from(box.buffer, box.byteOffset, box.byteLength).toString('base64');
  return `EJ[1:${encrypterPublic}:${nonce.toString('base64')}:${boxText}]`;
}

/** Canonical base64 only: Buffer.from reads over what is not base64. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
