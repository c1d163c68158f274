import { milliseconds } from '../duration.ts';
import { activeKey, type Recipient } from './recipient.ts';

/** When the active key is to be followed by another: `rotation.every` after it was made. Undefined: never by itself. */
export function keyDue(recipient: Recipient): Date | undefined {
  const active = activeKey(recipient);
  if (recipient.rotationEvery === undefined || active === undefined) return undefined;
  return new Date(Date.parse(active.created) + milliseconds(recipient.rotationEvery));
}
