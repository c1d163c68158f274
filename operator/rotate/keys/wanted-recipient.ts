import type { Recipient, RecipientKey } from '../../../core/keys/recipient.ts';

/** Keys beside those that the keyring lists. */
export interface OtherKeys {
  /** The new key; undefined: none is wanted. */
  made: RecipientKey | undefined;
  /** Keys that were made and given up, as far as they are in the store. */
  given: readonly RecipientKey[];
  /** Ids of all of these: they lay beside a key that was stolen, so they are revoked, also where somebody has listed one since. */
  abandoned: ReadonlySet<string>;
}

/** This cluster as the keyring should list it: with its new key, which the active one makes way for. */
export function wantedRecipient(own: Recipient, { made, given, abandoned }: OtherKeys): Recipient {
  const former = own.keys.map((key): RecipientKey => {
    if (made === undefined && key.status === 'active') return key;
    if (abandoned.has(key.kid)) return { ...key, status: 'revoked' };
    return key.status === 'active' ? { ...key, status: 'retired' } : key;
  });
  if (made === undefined) return { ...own, keys: former };
  const listed = new Set(own.keys.map(({ kid }) => kid));
  const revoked = given
    .filter(({ kid }) => !listed.has(kid))
    .map((key): RecipientKey => ({ ...key, status: 'revoked' }));
  const keys = [made, ...revoked, ...former].toSorted((one, other) =>
    one.created < other.created ? 1 : one.created > other.created ? -1 : 0,
  );
  return { ...own, keys };
}

/** Whether two list the same keys in the same statuses. */
export function listsTheSame(one: Recipient, other: Recipient): boolean {
  const text = ({ keys }: Recipient) => keys.map(({ kid, status }) => `${kid} ${status}`).join('\n');
  return text(one) === text(other);
}
