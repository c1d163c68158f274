import type { Recipient } from '../keys/recipient.ts';
import type { Request, RotateRequest } from './request.ts';

/** Whether a request that an operator is done with may go, as the keyring is. Only of a rotation can the keyring tell. */
export function isFulfilled(request: Request, recipient: Recipient | undefined): boolean {
  return request.kind !== 'rotate' || isRotated(request, recipient);
}

/** Whether the recipient has a key that is newer than the one which was the newest when somebody asked. */
export function isRotated({ key }: Pick<RotateRequest, 'key'>, recipient: Recipient | undefined): boolean {
  const kids = recipient?.keys.map(({ kid }) => kid) ?? [];
  return kids.indexOf(key) > 0;
}
