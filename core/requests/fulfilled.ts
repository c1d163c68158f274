import type { Recipient } from '../keys/recipient.ts';
import type { Request, RotateRequest } from './request.ts';

/** Whether a request that an operator is done with may go, as the keyring is. Only of a rotation can the keyring tell. */
export function isFulfilled(request: Request, recipient: Recipient | undefined): boolean {
  return request.kind !== 'rotate' || isRotated(request, recipient);
}

/**
 * Whether the recipient has a key that is newer than the one which was the newest when somebody asked; and of a key that was stolen, one
 * that was made since: what was there before may have lain beside it.
 */
export function isRotated(
  { key, revoke, created }: Pick<RotateRequest, 'key' | 'revoke' | 'created'>,
  recipient: Recipient | undefined,
): boolean {
  const keys = recipient?.keys ?? [];
  const at = keys.findIndex(({ kid }) => kid === key);
  return keys.slice(0, Math.max(at, 0)).some((newer) => !revoke || newer.created > created);
}

/** A clock may be corrected by so much, in milliseconds. */
export const CLOCK_SLACK = 5 * 60_000;

/**
 * Of a time that is not only a clock which is a little off. What is to be of a later time than a theft would be of no time that anybody
 * lives to see; who asks for a rotation without that is heard by any clock.
 */
export function isAhead({ revoke, created }: Pick<RotateRequest, 'revoke' | 'created'>, now: Date): boolean {
  return revoke && Date.parse(created) > now.getTime() + CLOCK_SLACK;
}
