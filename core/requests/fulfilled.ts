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
