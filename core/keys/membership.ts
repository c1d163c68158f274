import { type Random, systemRandom } from '../crypto/random.ts';
import { Bug, CofferError } from '../errors.ts';
import type { SealingKey } from '../format/sealed/stanza.ts';
import { createGroupKey } from './create.ts';
import { sealGroupSeed } from './group.ts';
import { activeKey, type KeyStatus, type Recipient, type RecipientKey } from './recipient.ts';

/** Who is in a group (docs/format.md, "Recipients"). Each function returns the group as its file should say it. */

/**
 * Joining: one more row, under the active key only, so that the joiner opens what is sealed from the active key's time on.
 *
 * @param seed the active key's.
 * @throws CofferError GROUP_MEMBER_ALREADY, RECIPIENT_NO_ACTIVE_KEY
 */
export function addMember(
  group: Recipient,
  seed: Uint8Array,
  member: SealingKey,
  random: Random = systemRandom,
): Recipient {
  if (group.members.includes(member.recipient)) {
    throw new CofferError('GROUP_MEMBER_ALREADY', `${member.recipient} is in the group ${group.name} already`, {
      advice: 'Nothing is to be done.',
      data: { recipient: group.name },
      exit: 1,
    });
  }
  const active = requireActive(group);
  return {
    ...group,
    members: [...group.members, member.recipient],
    keys: group.keys.map((key) => (key === active ? withSeed(group.name, key, seed, member, random) : key)),
  };
}

/**
 * Leaving: a new key for those who stay. The one who leaves knows the former key for ever.
 *
 * @param change.staying the active keys of all other members.
 * @param change.formerKey `revoked`: all keys that the leaver knows are, which exposes what was ever sealed to them;
 *   `retired` says that the leaver stays trusted with the past.
 * @returns the group, and the new key's seed, which the caller wipes.
 * @throws CofferError GROUP_MEMBER_UNKNOWN
 */
export function removeMember(
  group: Recipient,
  name: string,
  change: {
    staying: readonly SealingKey[];
    identitySeed: Uint8Array;
    created: string;
    formerKey: Exclude<KeyStatus, 'active'>;
    random?: Random;
  },
): { recipient: Recipient; seed: Buffer } {
  if (!group.members.includes(name)) throw unknownMember(group, name);
  const members = group.members.filter((member) => member !== name);
  const { staying, formerKey, ...how } = change;
  if (!sameNames(members, staying)) throw new Bug('a new group key is sealed to each member who stays');
  const { key, seed } = createGroupKey({ ...how, name: group.name, members: staying });
  const former = group.keys.map((old) => ({
    ...old,
    status: old.status === 'active' || (formerKey === 'revoked' && old.seeds.has(name)) ? formerKey : old.status,
    seeds: new Map([...old.seeds].filter(([member]) => member !== name)),
  }));
  return { recipient: { ...group, members, keys: [key, ...former] }, seed };
}

function withSeed(
  group: string,
  key: RecipientKey,
  seed: Uint8Array,
  member: SealingKey,
  random: Random,
): RecipientKey {
  const text = sealGroupSeed(seed, { name: group, kid: key.kid }, member, random);
  return { ...key, seeds: new Map([...key.seeds, [member.recipient, { kid: member.kid, text }]]) };
}

function requireActive(group: Recipient): RecipientKey {
  const active = activeKey(group);
  if (active !== undefined) return active;
  throw new CofferError('RECIPIENT_NO_ACTIVE_KEY', `the group ${group.name} has no active key`, {
    advice: 'Make it a new key first.',
    data: { recipient: group.name },
  });
}

function sameNames(members: readonly string[], keys: readonly SealingKey[]): boolean {
  return (
    members.toSorted().join() ===
    keys
      .map((key) => key.recipient)
      .toSorted()
      .join()
  );
}

function unknownMember(group: Recipient, name: string): CofferError {
  return new CofferError('GROUP_MEMBER_UNKNOWN', `${name} is not in the group ${group.name}`, {
    advice: `Its members: ${group.members.join(', ')}.`,
    data: { recipient: group.name },
    exit: 2,
  });
}
