import { CofferError } from '../errors.ts';
import { hasGoneBack, type KeyStatus, type Recipient, type RecipientKey } from './recipient.ts';

/**
 * A recipient with a new active key, what was active becoming `formerStatus`. With the key in it already it stays as it is.
 *
 * @throws CofferError RECIPIENT_KEY_ORDER where the new key is older than one that is there: the clock is behind
 */
export function withNewKey(
  recipient: Recipient,
  key: RecipientKey,
  { formerStatus }: { formerStatus: Exclude<KeyStatus, 'active'> },
): Recipient {
  if (recipient.keys.some(({ kid }) => kid === key.kid)) return recipient;
  const newest = recipient.keys[0];
  if (newest !== undefined && newest.created > key.created) {
    throw new CofferError('RECIPIENT_KEY_ORDER', `the newest key of ${recipient.name} is of ${newest.created}`, {
      advice: `It is ${key.created} by this machine's clock: set it right, and try again.`,
      data: { recipient: recipient.name, keyId: newest.kid, file: recipient.file },
    });
  }
  const former = recipient.keys.map((old) => (old.status === 'active' ? { ...old, status: formerStatus } : old));
  return { ...recipient, keys: [key, ...former] };
}

/**
 * One recipient as two branches have it: each one's keys, each with the later of its statuses, and the newest alone may be active.
 * Everything else is as `head` has it. Undefined: they are not of one identity.
 */
export function uniteKeys(head: Recipient, other: Recipient): Recipient | undefined {
  if (head.name !== other.name || head.type !== other.type || !head.identity.equals(other.identity)) return undefined;
  const theirs = new Map(other.keys.map((key) => [key.kid, key]));
  const own = new Set(head.keys.map(({ kid }) => kid));
  const members = new Set(head.members);
  const added = other.keys
    .filter(({ kid }) => !own.has(kid))
    .map((key) => ({ ...key, seeds: new Map([...key.seeds].filter(([member]) => members.has(member))) }));
  const keys = [...added, ...head.keys].toSorted(newestFirst).map((key, index): RecipientKey => {
    const status = later(key.status, theirs.get(key.kid)?.status ?? key.status);
    return { ...key, status: index > 0 && status === 'active' ? 'retired' : status };
  });
  return { ...head, keys };
}

function later(one: KeyStatus, other: KeyStatus): KeyStatus {
  return hasGoneBack(one, other) ? one : other;
}

/** The times are of one width, so that their texts sort as they do. */
function newestFirst(one: RecipientKey, other: RecipientKey): number {
  return one.created < other.created ? 1 : one.created > other.created ? -1 : 0;
}
