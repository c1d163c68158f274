import { CofferError } from '../../../core/errors.ts';
import { keyDue } from '../../../core/keys/key-due.ts';
import { activeKey, type Recipient } from '../../../core/keys/recipient.ts';
import { CLOCK_SLACK, isAhead } from '../../../core/requests/fulfilled.ts';
import { type RotateRequest, requestFile } from '../../../core/requests/request.ts';
import { WATCH_INTERVAL } from './watch-retired.ts';

/** Why this cluster is to have a new key. */
export interface Wish {
  /** The newest key, which the new one follows. */
  former: string;
  /** The former key is in the wrong hands: the keyring says so, or it lay beside one of which the keyring says so. */
  revoke: boolean;
  /** Id of the committed request; absent: its time has come. */
  request?: string;
  /** Of the request that says that the former key was stolen: the new one has to be of a later time, `YYYY-MM-DDTHH:MM:SSZ`. */
  after?: string;
  reason?: string;
}

/**
 * Whether somebody asks for a successor of the newest key, `rotation.every` has passed since that was made, or it is one that was given
 * up. That a request says `revoke` alone revokes nothing: whoever may write requests need not have the right to change the keyring.
 *
 * @param abandoned ids of keys that were made and given up
 */
export function wishFor(
  own: Recipient,
  requests: readonly RotateRequest[],
  now: Date,
  abandoned: ReadonlySet<string> = new Set(),
): Wish | undefined {
  const [newest] = own.keys;
  if (newest === undefined) return undefined;
  const wish = { former: newest.kid, revoke: newest.status === 'revoked' || abandoned.has(newest.kid) };
  const asked = requests.filter((request) => request.key === newest.kid && !isAhead(request, now));
  const [first] = asked.toSorted((one, other) => Number(other.revoke) - Number(one.revoke));
  if (first !== undefined) {
    const { id: request, created, revoke, reason } = first;
    return { ...wish, request, ...(revoke ? { after: created } : {}), ...(reason === undefined ? {} : { reason }) };
  }
  const due = keyDue(own);
  return (due !== undefined && now >= due) || abandoned.has(newest.kid) ? wish : undefined;
}

/**
 * When there is something to do though nothing changes, in milliseconds since 1970: a key is due, one that is retired is watched, or the
 * time of a request comes.
 */
export function nextLook(own: Recipient, requests: readonly RotateRequest[], now: Date): number {
  const due = keyDue(own)?.getTime() ?? Number.POSITIVE_INFINITY;
  const isWatched = own.keys.some(({ status }) => status !== 'active');
  const watch = isWatched ? now.getTime() + WATCH_INTERVAL : Number.POSITIVE_INFINITY;
  const ahead = requests.map(({ created }) => Date.parse(created) - CLOCK_SLACK);
  return Math.min(watch, ...[due, ...ahead].filter((time) => time > now.getTime()));
}

/** ROTATE_CLOCK_BACK where the newest key is of a time to come, so that nobody can say when the next is due. */
export function clockTrouble(own: Recipient, now: Date): CofferError | undefined {
  const [newest] = own.keys;
  if (newest === undefined || now.getTime() >= Date.parse(newest.created) - CLOCK_SLACK) return undefined;
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

/**
 * What is not as requests say: ROTATE_KEY_UNKNOWN for a key that the keyring does not list, ROTATE_REQUEST_AHEAD for a time to come,
 * ROTATE_NOT_REVOKED for a key that is said to be stolen and that the keyring does not list as revoked.
 */
export function strayRequests(own: Recipient, requests: readonly RotateRequest[], now: Date): CofferError[] {
  return requests.flatMap((request) => {
    const code = strayOf(own, request, now);
    if (code === undefined) return [];
    const { id, key, created } = request;
    const { message, advice } = STRAY[code];
    const data = { recipient: own.name, keyId: key, file: requestFile(id) };
    return new CofferError(code, message(key, own.name, created), { advice: advice(own.name), data });
  });
}

type Stray = 'ROTATE_KEY_UNKNOWN' | 'ROTATE_REQUEST_AHEAD' | 'ROTATE_NOT_REVOKED';

function strayOf(own: Recipient, request: RotateRequest, now: Date): Stray | undefined {
  const { key, revoke } = request;
  const listed = own.keys.find(({ kid }) => kid === key);
  if (listed === undefined) return 'ROTATE_KEY_UNKNOWN';
  if (isAhead(request, now)) return 'ROTATE_REQUEST_AHEAD';
  return revoke && listed.status !== 'revoked' ? 'ROTATE_NOT_REVOKED' : undefined;
}

const STRAY: Record<
  Stray,
  { message: (kid: string, name: string, created: string) => string; advice: (name: string) => string }
> = {
  ROTATE_KEY_UNKNOWN: {
    message: (kid, name) => `A request is to rotate the key ${kid}, which ${name} does not have.`,
    advice: (name) => `Remove the file, and ask again with \`coffer recipients rotate ${name}\`.`,
  },
  ROTATE_REQUEST_AHEAD: {
    message: (kid, _, created) =>
      `A request says that the key ${kid} was stolen, and is of ${created}, a time to come.`,
    advice: (name) =>
      `Set the clocks right, of this host and where it was asked; then, if it is the request’s time that is wrong, remove the file and ask again with \`coffer recipients rotate ${name} --revoke\`.`,
  },
  ROTATE_NOT_REVOKED: {
    message: (kid) => `A request says that the key ${kid} was stolen, and the keyring does not list it as revoked.`,
    advice: (name) =>
      `If it was stolen, revoke it: \`coffer recipients rotate ${name} --revoke\`, in a commit of somebody who may change the keyring. Else nothing is to be done: the key is followed by another, and retired.`,
  },
};
