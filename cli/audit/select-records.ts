import type { AuditLine } from '../../core/audit/record.ts';
import { timeFrom } from '../input/time.ts';
import type { Range } from './coverage.ts';

/** What is asked for; everything that is said must fit. */
export interface Wanted {
  /** NAMESPACE/NAME, or a NAME in any namespace. */
  secret?: string | undefined;
  /** NAMESPACE/NAME of a reader. */
  workload?: string | undefined;
  /** A part of the name, address, key or user of whoever wrote, signed, asked or read. */
  actor?: string | undefined;
  /** A key id or data key id, or the beginning of one. */
  key?: string | undefined;
  entry?: string | undefined;
  event?: readonly string[] | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

/** Throws CofferError `TIME_INVALID`. `to` absent: without an end. */
export function rangeFrom(from: string, to: string | undefined): Range {
  return { from: asRecorded(from), to: to === undefined ? '\uffff' : asRecorded(to) };
}

/** In UTC, as records have it. */
function asRecorded(text: string): string {
  return timeFrom(text).toISOString();
}

/** Intents that are remembered for their outcomes: an operator has some thousand under way at most. */
const MOST_INTENTS = 10_000;

/**
 * Whether a record is asked for, told of one after the other: of an outcome its intent says whose key, commit and entries they were.
 * Throws CofferError `TIME_INVALID`.
 */
export function selects(wanted: Wanted): (line: AuditLine) => boolean {
  const tests: ((line: AuditLine) => boolean)[] = [];
  const { secret, workload, actor, key, entry, event } = wanted;
  const since = wanted.since === undefined ? undefined : asRecorded(wanted.since);
  const until = wanted.until === undefined ? undefined : asRecorded(wanted.until);
  if (secret !== undefined) tests.push((line) => isNamed(line, secret));
  if (workload !== undefined) tests.push((line) => isFor(line, workload));
  if (actor !== undefined) tests.push((line) => actorsOf(line).some((name) => name.includes(actor)));
  if (key !== undefined) tests.push((line) => keysOf(line).some((id) => id.startsWith(key)));
  if (entry !== undefined) tests.push((line) => line.entries?.includes(entry) ?? false);
  if (event !== undefined && event.length > 0) tests.push((line) => event.some((one) => isOfEvent(line.event, one)));
  if (since !== undefined) tests.push(({ time }) => time >= since);
  if (until !== undefined) tests.push(({ time }) => time < until);
  const intents = new Map<string, AuditLine>();
  return (line) => {
    const whole = { ...intents.get(line.operation ?? ''), ...line };
    if (line.event === 'secret.intent' && line.operation !== undefined) remember(intents, line.operation, line);
    return tests.every((test) => test(whole));
  };
}

function remember(intents: Map<string, AuditLine>, operation: string, intent: AuditLine): void {
  intents.set(operation, intent);
  const [oldest] = intents.size > MOST_INTENTS ? intents.keys() : [];
  if (oldest !== undefined) intents.delete(oldest);
}

function isNamed({ namespace, name }: AuditLine, secret: string): boolean {
  return secret.includes('/') ? `${namespace}/${name}` === secret : name === secret;
}

function isFor({ workloads, actor }: AuditLine, workload: string): boolean {
  const reader = actor?.serviceAccount === undefined ? undefined : `${actor.namespace}/${actor.serviceAccount}`;
  return workloads?.includes(workload) === true || reader === workload;
}

/** `key.changed`, or all of a kind: `key`. */
function isOfEvent(event: string, wanted: string): boolean {
  return event === wanted || event.startsWith(`${wanted}.`);
}

/** Whoever had a part in it. */
export function actorsOf({ author, signer, actor }: AuditLine): string[] {
  const people = [author?.name, author?.email, ...(signer?.names ?? []), signer?.key];
  return [...people, actor?.user, actor?.pod, actor?.serviceAccount, actor?.host].filter((name) => name !== undefined);
}

function keysOf({ keyIds, dataKeyIds }: AuditLine): string[] {
  return [...(keyIds ?? []), ...(dataKeyIds ?? [])];
}
