import type { Keyring } from '../../../core/keys/keyring.ts';
import { activeKey, type Recipient } from '../../../core/keys/recipient.ts';

/**
 * Groups to whose active key somebody with these keys of a member has the seed: it was sealed to the member while one of them was its
 * newest. A new key of the member changes nothing about that.
 */
export function groupsKnownTo({ recipients }: Keyring, { name, keys }: Recipient, kids: readonly string[]): string[] {
  const groups = [...recipients.values()].filter(({ members }) => members.includes(name));
  const known = groups.filter((group) => {
    const active = activeKey(group);
    return keys.some(({ kid }, index) => {
      const next = keys[index - 1];
      const isInTime = next === undefined || (active?.created ?? '') <= next.created;
      return active?.seeds.has(name) === true && kids.includes(kid) && isInTime;
    });
  });
  return known.map((group) => group.name).toSorted();
}
