import { encodeBase64url } from '../crypto/base64url.ts';
import { hpkeOpen, hpkeSeal } from '../crypto/hpke.ts';
import { pae } from '../crypto/pae.ts';
import { type Random, systemRandom } from '../crypto/random.ts';
import { CofferError } from '../errors.ts';
import { type OpeningKey, parseStanza, type SealingKey } from '../format/sealed/stanza.ts';
import { keyIdOfSeed } from './key-id.ts';

/**
 * The seed of a key that its owner deletes, sealed to a recovery recipient (docs/format.md, "Retired keys"): the grammar is a
 * stanza's. What is bound is the recipient whose key it was, and both keys.
 */

/** @throws CofferError HPKE_KEY_LENGTH, HPKE_KEY_NOT_CANONICAL, HPKE_LOW_ORDER */
export function sealRetiredSeed(
  seed: Uint8Array,
  retired: { recipient: string; kid: string },
  recovery: SealingKey,
  random: Random = systemRandom,
): string {
  return `${recovery.kid}:${encodeBase64url(hpkeSeal(recovery.publicKey, retiredInfo(retired, recovery), seed, random))}`;
}

/**
 * @returns the seed, 32 bytes, which the caller wipes.
 * @throws CofferError STANZA_MALFORMED, STANZA_OTHER_KEY, RETIRED_SEED_REFUSED, RETIRED_SEED_WRONG, HPKE_LOW_ORDER
 */
export function openRetiredSeed(
  text: string,
  retired: { recipient: string; kid: string },
  recovery: OpeningKey,
): Buffer {
  const data = { recipient: retired.recipient, keyId: retired.kid };
  const { kid, sealed } = parseStanza(text);
  if (kid !== recovery.kid) {
    throw new CofferError('STANZA_OTHER_KEY', 'the retired key is sealed to another recovery key', {
      advice: `Find the secret key ${kid}.`,
      data,
    });
  }
  const seed = openSealed(sealed, retired, recovery);
  if (keyIdOfSeed(seed) === retired.kid) return seed;
  seed.fill(0);
  throw new CofferError('RETIRED_SEED_WRONG', 'what was kept of the retired key is another key', {
    advice: 'Take the copy from another place: this one was changed, or mistaken for another.',
    data,
  });
}

function openSealed(sealed: Uint8Array, retired: { recipient: string; kid: string }, recovery: OpeningKey): Buffer {
  try {
    return hpkeOpen(recovery.seed, retiredInfo(retired, recovery), sealed);
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    const data = { recipient: retired.recipient, keyId: retired.kid };
    if (error.code !== 'HPKE_REFUSED') throw error.at(data);
    throw new CofferError('RETIRED_SEED_REFUSED', 'what was kept of the retired key does not open', {
      advice: 'It belongs to another recipient, key or recovery key, or was changed: take the copy from another place.',
      data,
      cause: error,
    });
  }
}

function retiredInfo(
  retired: { recipient: string; kid: string },
  recovery: { recipient: string; kid: string },
): Buffer {
  return pae('coffer/v1/retired-key', retired.recipient, retired.kid, recovery.recipient, recovery.kid);
}
