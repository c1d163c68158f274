import { Bug } from '../errors.ts';
import { type Random, systemRandom } from '../format/random.ts';
import type { OpeningKey, SealingKey } from '../format/stanza.ts';
import type { Recipient } from './recipient.ts';

export function sealGroupSeed(
  _seed: Uint8Array,
  _group: { name: string; kid: string },
  _member: SealingKey,
  _random: Random = systemRandom,
): string {
  throw new Bug('not written yet');
}

export function openGroupSeed(_text: string, _group: { name: string; kid: string }, _member: OpeningKey): Buffer {
  throw new Bug('not written yet');
}

/** Joining: one more row for the active key only. `seed` is the active key's. */
export function addMember(
  _group: Recipient,
  _seed: Uint8Array,
  _member: SealingKey,
  _random: Random = systemRandom,
): Recipient {
  throw new Bug('not written yet');
}

/** Leaving makes a new key for those who stay; the former one becomes `formerKey`. */
export function removeMember(
  _group: Recipient,
  _name: string,
  _change: {
    staying: readonly SealingKey[];
    identitySeed: Uint8Array;
    created: string;
    formerKey: 'retired' | 'revoked';
    random?: Random;
  },
): { recipient: Recipient; seed: Buffer } {
  throw new Bug('not written yet');
}
