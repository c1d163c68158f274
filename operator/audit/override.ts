import { join } from 'node:path';
import type { AuditActor } from '../../core/audit/record.ts';
import { milliseconds } from '../../core/duration.ts';
import { CofferError } from '../../core/errors.ts';
import { placeFile } from '../../core/files/place-file.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { parseJson } from '../../core/json.ts';
import { plainLine } from '../../core/plain-line.ts';
import { DURATION } from '../../schemas/grammar.ts';
import { hostUser } from '../process/host-user.ts';

/** A person's leave to go on for a time while the log cannot be written. */
export interface Override {
  actor: AuditActor;
  reason: string;
  /** RFC 3339 in UTC. */
  given: string;
  until: string;
}

/** Whoever needs longer has to say so again. */
const LONGEST = 24 * 60 * 60 * 1000;
const REASON = { shortest: 3, longest: 500 };
/** Bytes of its file that are looked at. */
const MOST = 4096;

/**
 * Leaves the word in the state directory: `coffer-operator override-audit --for 30m --reason TEXT`. Returns until when it counts. Throws
 * CofferError `AUDIT_OVERRIDE_INVALID`, and what the disk says.
 */
export async function giveOverride(
  stateDirectory: string,
  { duration, reason }: { duration: string; reason: string },
  now: Date,
): Promise<Override> {
  const given: Override = {
    actor: hostUser(),
    reason: oneLine(reason),
    given: now.toISOString(),
    until: new Date(now.getTime() + spanOf(duration)).toISOString(),
  };
  await placeFile(fileOf(stateDirectory), `${JSON.stringify(given)}\n`, { mode: 0o600 });
  return given;
}

/** The word that counts now; undefined: there is none, its time is over, or it cannot be understood. */
export async function overrideAt(stateDirectory: string, now: Date): Promise<Override | undefined> {
  const given = overrideFrom(await readIfThere(fileOf(stateDirectory)));
  if (given === undefined) return undefined;
  const [from, until] = [Date.parse(given.given), Date.parse(given.until)];
  // A clock that was set back must not make it last longer.
  const counts = from <= now.getTime() && now.getTime() < until && until - from <= LONGEST;
  return counts ? given : undefined;
}

function overrideFrom(text: string): Override | undefined {
  if (text === '' || text.length > MOST) return undefined;
  const { actor, reason, given, until } = Object(parseJson(text));
  const { user, uid } = Object(actor);
  const texts = [reason, given, until, user];
  if (!texts.every((one) => typeof one === 'string')) return undefined;
  return { actor: { kind: 'host', user, ...(Number.isInteger(uid) ? { uid } : {}) }, reason, given, until };
}

function spanOf(duration: string): number {
  const span = new RegExp(DURATION).test(duration) ? milliseconds(duration) : 0;
  if (span > 0 && span <= LONGEST) return span;
  throw invalid('--for is not a duration of at most 24h', 'Write something like --for 30m.');
}

function oneLine(reason: string): string {
  const line = plainLine(reason, REASON);
  if (line !== undefined) return line;
  throw invalid(
    'the reason is missing, too long, or not one line of plain text',
    `Say why in ${REASON.shortest} to ${REASON.longest} characters; it goes into the record.`,
  );
}

function invalid(what: string, advice: string): CofferError {
  return new CofferError('AUDIT_OVERRIDE_INVALID', `The log was not overridden: ${what}.`, { advice, exit: 2 });
}

function fileOf(stateDirectory: string): string {
  return join(stateDirectory, 'audit-override.json');
}
