import { encodeBase64url } from '../crypto/base64url.ts';
import { blake2b } from '../crypto/blake2b.ts';

/** What records and caches call a sealed text (docs/format.md, "Exposure"): 32 characters, of ciphertext and so public. Needs `sodiumReady`. */
export function textDigest(sealed: string): string {
  return encodeBase64url(blake2b(24, 'coffer/v1/text', sealed));
}
