import { createHash } from 'node:crypto';

const SEALED_VALUE = /CF\[1:([A-Za-z0-9_-]{32}):[A-Za-z0-9_-]{96,}\]/g;
const STANZA = /\b([0-9a-f]{32}):[A-Za-z0-9_-]{1558}(?![A-Za-z0-9_-])/g;
const BOXED = /EJ\[1:[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{32}:[A-Za-z0-9+/=]+\]/g;

/**
 * A file's text with each ciphertext cut to a label, for people who compare two versions (git's textconv). Everything
 * else stays as it is, so that no change hides; two labels are equal where the ciphertexts are. Takes any text: bytes
 * that are no UTF-8 go in and come out as latin1.
 */
export function labelCiphertext(text: string): string {
  return text
    .replace(SEALED_VALUE, (sealed, dataKeyId: string) => `CF[${dataKeyId.slice(0, 8)} ${fingerprint(sealed)}]`)
    .replace(STANZA, (stanza, kid: string) => `${kid.slice(0, 8)} ${fingerprint(stanza)}`)
    .replace(BOXED, (boxed) => `EJ[${fingerprint(boxed)}]`);
}

function fingerprint(ciphertext: string): string {
  return createHash('sha256').update(ciphertext).digest('hex').slice(0, 8);
}
