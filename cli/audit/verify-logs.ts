import { ORIGIN, parseCheckpoint, readCheckpoint } from '../../core/audit/note/checkpoint.ts';
import type { AuditLine } from '../../core/audit/record.ts';
import type { Finding } from '../../core/audit/verify/finding.ts';
import { type ReadLog, type Report, readLog, reportOn } from '../../core/audit/verify.ts';
import { CofferError } from '../../core/errors.ts';
import { type Range, uncovered } from './coverage.ts';
import type { Identities } from './identity-of.ts';
import type { OpenedLog } from './open-logs.ts';

export interface Verified extends Report {
  place: string;
  cluster: string;
  /** Whose signature counted, `coffer-identity-1-…`, and who says so. */
  identity: string;
  believed: string;
  /** Of a bundle: the records whose text it says that it brings along. */
  only?: { from: number; to: number };
}

export interface VerifyLogsOptions {
  /** Checkpoints that were kept: each has to be of one of the logs, and to be a prefix of it. */
  checkpoints?: readonly { file: string; text: string }[];
  /** What bundles have to cover; absent: everything. ISO 8601 in UTC, from the first to before the second. */
  range?: Range;
  /** Logs that are known not to be there: LOGIDs or origins. */
  without?: readonly string[];
  onProgress?: (records: number) => void;
}

export interface VerifiedLogs {
  logs: Verified[];
  /** Of no log that is there: checkpoints that were given, of others. */
  findings: Finding[];
}

/**
 * Verifies logs, each against the checkpoints that are given and those that the other logs have seen of it: so one that was cut, put
 * back, emptied or left out is found although its own checkpoint fits. Throws CofferError `AUDIT_IDENTITY_UNKNOWN`,
 * `AUDIT_CHECKPOINT_INVALID` for a file that is no checkpoint, and what reading throws.
 */
export async function verifyLogs(
  logs: readonly OpenedLog[],
  identities: Identities,
  { checkpoints = [], range, without = [], onProgress }: VerifyLogsOptions = {},
): Promise<VerifiedLogs> {
  const given = checkpoints.map(({ file, text }) => ({ text, origin: originOf(file, text) }));
  const read: ReadLog[] = [];
  for (const { store, cluster, origin, bundled } of logs) {
    read.push(
      await readLog(store, {
        identity: identities.of(cluster).key,
        checkpoints: given.filter((one) => one.origin === origin).map(({ text }) => text),
        ...(onProgress === undefined ? {} : { onProgress }),
        ...(bundled === undefined ? {} : { only: { from: bundled.from, to: bundled.to } }),
      }),
    );
  }
  const seen = read.flatMap(({ pass }) => witnessedBy(pass?.witnessed ?? [], identities));
  const reports: Verified[] = [];
  for (const [at, log] of logs.entries()) {
    const { store, cluster, bundled } = log;
    const one = read[at];
    if (one === undefined) continue;
    const report = await reportOn(
      one,
      seen.filter(({ origin }) => origin === log.origin).map(({ text }) => text),
    );
    if (bundled !== undefined) report.findings.push(...(await uncovered(log, bundled, report, range)));
    const missing = witnessedBy(report.witnessed, identities).filter(({ origin }) => !isNamed(origin, logs, without));
    report.findings.push(...missingLogs(missing));
    const { text: identity, from: believed } = identities.of(cluster);
    const only = bundled === undefined ? {} : { only: { from: bundled.from, to: bundled.to } };
    reports.push({ ...report, place: store.place, cluster, identity, believed, ...only });
  }
  return { logs: reports, findings: leftOut(given, logs) };
}

/** Throws CofferError `AUDIT_CHECKPOINT_INVALID`, which names the file. */
function originOf(file: string, text: string): string {
  try {
    return parseCheckpoint(text).origin;
  } catch (error) {
    throw error instanceof CofferError ? error.at({ file }) : error;
  }
}

interface Seen {
  text: string;
  origin: string;
  size: number;
}

/** Checkpoints of other logs in its records, which the identity of their cluster signed. */
function witnessedBy(witnessed: readonly AuditLine[], identities: Identities): Seen[] {
  return witnessed.flatMap(({ checkpoint = '' }) => {
    try {
      const { origin } = parseCheckpoint(checkpoint);
      const { size } = readCheckpoint(checkpoint, identities.of(ORIGIN.exec(origin)?.[1] ?? '').key);
      return [{ text: checkpoint, origin, size }];
    } catch (error) {
      // What a record holds is whatever its operator was shown, of a cluster that nobody here may know.
      if (error instanceof CofferError) return [];
      throw error;
    }
  });
}

/** Whoever kept a checkpoint means a log that is to be there. */
function leftOut(given: readonly { origin: string }[], logs: readonly OpenedLog[]): Finding[] {
  const strangers = given.filter(({ origin }) => !logs.some((log) => log.origin === origin));
  return strangers.map(({ origin }) => ({
    kind: 'replaced-log',
    message: `a checkpoint that you gave is of ${origin}, which is none of these logs`,
  }));
}

function isNamed(origin: string, logs: readonly OpenedLog[], without: readonly string[]): boolean {
  const [, , id = ''] = ORIGIN.exec(origin) ?? [];
  return logs.some((log) => log.origin === origin) || without.includes(id) || without.includes(origin);
}

function missingLogs(seen: readonly Seen[]): Finding[] {
  const newest = new Map<string, number>();
  for (const { origin, size } of seen) newest.set(origin, Math.max(size, newest.get(origin) ?? 0));
  return [...newest].map(([origin, size]) => ({
    kind: 'missing-log',
    message: `this log has seen ${origin}, of ${size} records, which is not here: give it with --log, or say --without if you know why`,
  }));
}

/** For people, without an end of line. */
export function reportLines(report: Verified): string[] {
  const { origin, size, root, unsigned, pruned, checkpoints, only, findings, identity, believed } = report;
  return [
    `${origin}: ${size} records, root ${root || '(none)'}`,
    `  identity ${identity}, ${believed}`,
    ...(only === undefined ? [] : [`  of which ${recordsOf(only)} are here; of all others the hashes alone`]),
    ...(pruned === 0 ? [] : [`  the records 1 to ${pruned} are forgotten, as a record says; their hashes are here`]),
    ...(unsigned === 0 ? [] : [`  ${unsigned} newer records are not signed yet`]),
    ...(findings.length === 0
      ? [`  as it was signed; ${checkpoints === 1 ? '1 checkpoint agrees' : `${checkpoints} checkpoints agree`}`]
      : []),
  ];
}

function recordsOf({ from, to }: { from: number; to: number }): string {
  return to < from ? 'none' : `the records ${from} to ${to}`;
}
