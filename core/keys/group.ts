import { encodeBase64url } from '../crypto/base64url.ts';
import { hpkeOpen, hpkeSeal } from '../crypto/hpke.ts';
import { pae } from '../crypto/pae.ts';
import { type Random, systemRandom } from '../crypto/random.ts';
import { CofferError } from '../errors.ts';
import { type OpeningKey, parseStanza, type SealingKey } from '../format/sealed/stanza.ts';
import { keyIdOfSeed } from './key-id.ts';

/**
 * The seed of a group's key, sealed to one member (docs/format.md, "Recipients"): the grammar is a stanza's. What is
 * bound is the group, the member, and both keys.
 */

/** A key of a group, by its group's name and its own id. */
export interface GroupKeyName {
  name: string;
  kid: string;
}

/** @throws CofferError HPKE_KEY_LENGTH, HPKE_KEY_NOT_CANONICAL, HPKE_LOW_ORDER */
export function sealGroupSeed(
  seed: Uint8Array,
  group: GroupKeyName,
  member: SealingKey,
  random: Random = systemRandom,
): string {
  return `${member.kid}:${encodeBase64url(hpkeSeal(member.publicKey, seedInfo(group, member), seed, random))}`;
}

/**
 * @returns the seed, 32 bytes, which the caller wipes.
 * @throws CofferError STANZA_MALFORMED, STANZA_OTHER_KEY, GROUP_SEED_REFUSED, GROUP_SEED_WRONG, HPKE_LOW_ORDER
 */
export function openGroupSeed(text: string, group: GroupKeyName, member: OpeningKey): Buffer {
  const data = { recipient: group.name, keyId: group.kid };
  const { kid, sealed } = parseStanza(text);
  if (kid !== member.kid) {
    throw new CofferError('STANZA_OTHER_KEY', `the seed of the group ${group.name} is sealed to another key`, {
      advice: `Have somebody who can open the group seal its seed to the key ${member.kid}.`,
      data,
    });
  }
  const seed = openSealed(sealed, group, member);
  if (keyIdOfSeed(seed) === group.kid) return seed;
  seed.fill(0);
  throw new CofferError('GROUP_SEED_WRONG', `the seed of the group ${group.name} is not that of its key`, {
    advice: "Ask the group's creator: its file was made by a faulty or a hostile writer.",
    data,
  });
}

function openSealed(sealed: Uint8Array, group: GroupKeyName, member: OpeningKey): Buffer {
  try {
    return hpkeOpen(member.seed, seedInfo(group, member), sealed);
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    const data = { recipient: group.name, keyId: group.kid };
    if (error.code !== 'HPKE_REFUSED') throw error.at(data);
    throw new CofferError(
      'GROUP_SEED_REFUSED',
      `the seed of the group ${group.name} does not open for ${member.recipient}: it was made for another group, member or key, or was changed`,
      { advice: "Restore the group's file from git, or have its seed sealed to you again.", data, cause: error },
    );
  }
}

function seedInfo(group: GroupKeyName, member: { recipient: string; kid: string }): Buffer {
  return pae('coffer/v1/group', group.name, member.recipient, group.kid, member.kid);
}
