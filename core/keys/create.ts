import { type Random, systemRandom } from '../crypto/random.ts';
import { publicKeyFromSeed, SEED_LENGTH } from '../crypto/x-wing.ts';
import type { SealingKey } from '../format/sealed/stanza.ts';
import { endorse, identityOf } from './endorsement.ts';
import { sealGroupSeed } from './group.ts';
import { keyId } from './key-id.ts';
import type { Recipient, RecipientKey } from './recipient.ts';

/** @returns the public part and both secrets, which the caller stores and wipes. */
export function createRecipient(wanted: {
  name: string;
  type: 'cluster' | 'person' | 'recovery';
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  created: string;
  random?: Random;
}): { recipient: Recipient; seed: Buffer; identitySeed: Buffer } {
  const { name, type, created, random = systemRandom } = wanted;
  const identitySeed = random(SEED_LENGTH);
  const { key, seed } = createKey({ name, created, identitySeed, random });
  const recipient: Recipient = {
    name,
    type,
    identity: identityOf(identitySeed),
    keys: [key],
    members: [],
    file: recipientFile(name),
  };
  return { recipient, seed, identitySeed };
}

/**
 * @param wanted.members the members' active keys, from `sealingKeys`: only identities that the creator trusts.
 * @param wanted.identitySeed the creator's: a group's identity is its creator's.
 * @returns the public part and the key's seed, which the caller wipes (members have it from the group's file).
 */
export function createGroup(wanted: {
  name: string;
  created: string;
  members: readonly SealingKey[];
  identitySeed: Uint8Array;
  random?: Random;
}): { recipient: Recipient; seed: Buffer } {
  const { name, members, identitySeed } = wanted;
  const { key, seed } = createGroupKey(wanted);
  const recipient: Recipient = {
    name,
    type: 'group',
    identity: identityOf(identitySeed),
    keys: [key],
    members: members.map((member) => member.recipient),
    file: recipientFile(name),
  };
  return { recipient, seed };
}

/** A new active key of a group, its seed sealed to each member. */
export function createGroupKey(wanted: {
  name: string;
  created: string;
  members: readonly SealingKey[];
  identitySeed: Uint8Array;
  random?: Random;
}): { key: RecipientKey; seed: Buffer } {
  const { name, members, random = systemRandom } = wanted;
  const { key, seed } = createKey({ ...wanted, random });
  try {
    const seeds = new Map(
      members.map((member) => [
        member.recipient,
        { kid: member.kid, text: sealGroupSeed(seed, { name, kid: key.kid }, member, random) },
      ]),
    );
    return { key: { ...key, seeds }, seed };
  } catch (error) {
    seed.fill(0);
    throw error;
  }
}

/** A new active key, endorsed. The caller retires the former one. */
export function createKey(wanted: { name: string; created: string; identitySeed: Uint8Array; random: Random }): {
  key: RecipientKey;
  seed: Buffer;
} {
  const { name, created, identitySeed, random } = wanted;
  const seed = random(SEED_LENGTH);
  return { key: endorseKey({ name, created, identitySeed, publicKey: publicKeyFromSeed(seed) }), seed };
}

/** A key that is there already, as an active one of this recipient. */
export function endorseKey(wanted: {
  name: string;
  created: string;
  identitySeed: Uint8Array;
  publicKey: Buffer;
}): RecipientKey {
  const { name, created, identitySeed, publicKey } = wanted;
  const kid = keyId(publicKey);
  const endorsement = endorse(identitySeed, name, kid, created);
  return { kid, status: 'active', created, publicKey, endorsement, seeds: new Map() };
}

/** Where a recipient's file stands, from the root of the repository. */
export function recipientFile(name: string): string {
  return `.coffer/recipients/${name}.yaml`;
}
