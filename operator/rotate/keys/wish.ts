import { CofferError } from '../../../core/errors.ts';
import { keyDue } from '../../../core/keys/key-due.ts';
import { activeKey, type Recipient } from '../../../core/keys/recipient.ts';
import { type RotateRequest, requestFile } from '../../../core/requests/request.ts';
import { WATCH_INTERVAL } from './watch-retired.ts';

/** Why this cluster is to have a new key. */
export interface Wish {
  /** The newest key, which the new one follows. */
  former: string;
  /** The former key is in the wrong hands. */
  revoke: boolean;
  /** Id of the committed request; absent: its time has come. */
  request?: string;
  reason?: string;
}

/** A clock may be corrected by so much, in milliseconds. */
const SLACK = 5 * 60_000;

/** Whether somebody asks for a successor of the newest key, or `rotation.every` has passed since that was made. */
export function wishFor(own: Recipient, requests: readonly RotateRequest[], now: Date): Wish | undefined {
  const [newest] = own.keys;
  if (newest === undefined) return undefined;
  const asked = requests.filter(({ key }) => key === newest.kid);
  const [first] = asked.toSorted((one, other) => Number(other.revoke) - Number(one.revoke));
  if (first !== undefined) {
    const { id: request, revoke, reason } = first;
    return { former: newest.kid, revoke, request, ...(reason === undefined ? {} : { reason }) };
  }
  const due = keyDue(own);
  return due !== undefined && now >= due ? { former: newest.kid, revoke: false } : undefined;
}

/** When there is something to do though nothing changes, in milliseconds since 1970: a key is due, or one that is retired is watched. */
export function nextLook(own: Recipient, now: Date): number {
  const due = keyDue(own)?.getTime() ?? Number.POSITIVE_INFINITY;
  const isWatched = own.keys.some(({ status }) => status !== 'active');
  const watch = isWatched ? now.getTime() + WATCH_INTERVAL : Number.POSITIVE_INFINITY;
  return due > now.getTime() ? Math.min(due, watch) : watch;
}

/** ROTATE_CLOCK_BACK where the newest key is of a time to come, so that nobody can say when the next is due. */
export function clockTrouble(own: Recipient, now: Date): CofferError | undefined {
  const [newest] = own.keys;
  if (newest === undefined || now.getTime() >= Date.parse(newest.created) - SLACK) return undefined;
  return new CofferError(
    'ROTATE_CLOCK_BACK',
    `The newest key of ${own.name} is of ${newest.created}, and the clock says ${now.toISOString()}.`,
    {
      advice: `Set the clock right; if it was wrong when that key was made, \`coffer recipients rotate ${own.name}\` makes another.`,
      data: { recipient: own.name, keyId: newest.kid },
      loop: 'retry',
    },
  );
}

/** ROTATE_NO_ACTIVE_KEY where nobody can seal to this cluster, and nobody has asked for a key. */
export function noActiveKey(own: Recipient, wish: Wish | undefined): CofferError | undefined {
  if (wish !== undefined || activeKey(own) !== undefined) return undefined;
  return new CofferError(
    'ROTATE_NO_ACTIVE_KEY',
    `The keyring lists no active key of ${own.name}: nobody can seal to it.`,
    {
      advice: `Ask for one: \`coffer recipients rotate ${own.name}\`.`,
      data: { recipient: own.name, file: own.file },
    },
  );
}

/** ROTATE_KEY_UNKNOWN for a request that names a key which the keyring does not list. */
export function strayRequests(own: Recipient, requests: readonly RotateRequest[]): CofferError[] {
  const known = new Set(own.keys.map(({ kid }) => kid));
  return requests
    .filter(({ key }) => !known.has(key))
    .map(
      ({ id, key }) =>
        new CofferError(
          'ROTATE_KEY_UNKNOWN',
          `A request is to rotate the key ${key}, which ${own.name} does not have.`,
          {
            advice: `Remove the file, and ask again with \`coffer recipients rotate ${own.name}\`.`,
            data: { recipient: own.name, keyId: key, file: requestFile(id) },
          },
        ),
    );
}
