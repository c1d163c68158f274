import type { Recipient } from '../../keys/recipient.ts';
import { KEY_ID_LENGTH, type KeysOf, mayReplace } from './apply-stanzas.ts';

/** A group with the seeds of its keys sealed to a member's newer key; undefined where nothing of that fits. */
export function withSeeds(
  group: Recipient,
  member: string,
  rows: ReadonlyMap<string, string>,
  keysOfMember: KeysOf,
): Recipient | undefined {
  if (!group.members.includes(member)) return undefined;
  const keys = group.keys.map((key) => {
    const text = rows.get(key.kid);
    const there = key.seeds.get(member);
    // Who had no row must not get one like this: a joiner opens from its time on.
    if (text === undefined || there === undefined || !mayReplace(text, there.kid, keysOfMember)) return key;
    return { ...key, seeds: new Map([...key.seeds, [member, { kid: text.slice(0, KEY_ID_LENGTH), text }]]) };
  });
  return keys.some((key, index) => key !== group.keys[index]) ? { ...group, keys } : undefined;
}
