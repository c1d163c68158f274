import { encodeBase64url } from '../crypto/base64url.ts';
import { blake2b } from '../crypto/blake2b.ts';
import { Recent } from '../git/recent.ts';
import { ownText } from '../own-text.ts';

/** Texts whose digests are kept, in characters. */
const KEPT = 32 * 2 ** 20;

/** What records and caches call a sealed text (docs/format.md, "Exposure"): 32 characters, of ciphertext and so public. Needs `sodiumReady`. */
export function textDigest(sealed: string): string {
  return encodeBase64url(blake2b(24, 'coffer/v1/text', sealed));
}

/** The same text stands in many versions of a file. */
export class TextDigests {
  readonly #recent = new Recent<string, { digest: string; size: number }>({ sum: KEPT }, ({ size }) => size);

  of(sealed: string): string {
    const kept = this.#recent.get(sealed);
    if (kept !== undefined) return kept.digest;
    const digest = textDigest(sealed);
    this.#recent.put(ownText(sealed), { digest, size: sealed.length + 200 });
    return digest;
  }
}
