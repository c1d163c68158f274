import type { Recipient, RecipientKey } from '../../../core/keys/recipient.ts';
import type { RotateRequest } from '../../../core/requests/request.ts';

/**
 * This cluster as the keyring should list it: with its new key, the former ones as requests say.
 *
 * @param made the new key; undefined: none is wanted
 * @param given keys that were made and given up before anybody listed them: revoked, since they lay beside one that was stolen
 */
export function wantedRecipient(
  own: Recipient,
  requests: readonly RotateRequest[],
  made: RecipientKey | undefined,
  given: readonly RecipientKey[],
): Recipient {
  const stolen = new Set(requests.filter(({ revoke }) => revoke).map(({ key }) => key));
  const former = own.keys.map((key): RecipientKey => {
    if (stolen.has(key.kid))
      return { ...key, status: made === undefined && key.status === 'active' ? key.status : 'revoked' };
    return made !== undefined && key.status === 'active' ? { ...key, status: 'retired' } : key;
  });
  if (made === undefined) return { ...own, keys: former };
  const revoked = given.map((key): RecipientKey => ({ ...key, status: 'revoked' }));
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
