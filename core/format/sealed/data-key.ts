import { timingSafeEqual } from 'node:crypto';
import { encodeBase64url } from '../../crypto/base64url.ts';
import { blake2b } from '../../crypto/blake2b.ts';
import { type Random, systemRandom } from '../../crypto/random.ts';

/** What seals the values of one run, and its name (docs/format.md, "Data keys"). */
export interface DataKey {
  /** 32 characters; commits to the key, so that one ciphertext is one plaintext for all recipients. */
  id: string;
  /** 32 bytes. */
  key: Buffer;
}

export const DATA_KEY_LENGTH = 32;

export function newDataKey(random: Random = systemRandom): DataKey {
  const key = random(DATA_KEY_LENGTH);
  return { id: dataKeyId(key), key };
}

export function dataKeyId(key: Uint8Array): string {
  return encodeBase64url(blake2b(24, 'coffer/v1/data-key', key));
}

/** Whether a data key is the one that `id` commits to, in constant time. */
export function matchesId(key: Uint8Array, id: string): boolean {
  const computed = Buffer.from(dataKeyId(key), 'latin1');
  const claimed = Buffer.from(id, 'latin1');
  return computed.length === claimed.length && timingSafeEqual(computed, claimed);
}
