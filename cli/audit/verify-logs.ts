import { ORIGIN, parseCheckpoint, readCheckpoint } from '../../core/audit/note/checkpoint.ts';
import type { Finding } from '../../core/audit/verify/finding.ts';
import { type Report, verifyLog } from '../../core/audit/verify.ts';
import { CofferError } from '../../core/errors.ts';
import { type Range, uncovered } from './coverage.ts';
import type { Identities } from './identity-of.ts';
import type { OpenedLog } from './open-logs.ts';

export interface Verified extends Report {
  place: string;
  cluster: string;
  /** Of a bundle: the records whose text it says that it brings along. */
  only?: { from: number; to: number };
}

export interface VerifyLogsOptions {
  /** Checkpoints that were kept: each has to be of one of the logs, and to be a prefix of it. */
  checkpoints?: readonly string[];
  /** What bundles have to cover; absent: everything. ISO 8601 in UTC, from the first to before the second. */
  range?: Range;
  /** Logs that are known not to be there: LOGIDs or origins. */
  without?: readonly string[];
  onProgress?: (records: number) => void;
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
): Promise<Verified[]> {
  const given = checkpoints.map((text) => ({ text, origin: parseCheckpoint(text).origin }));
  const verify = async (log: OpenedLog, more: readonly string[]): Promise<Verified> => {
    const { store, cluster, bundled } = log;
    const only = bundled === undefined ? {} : { only: { from: bundled.from, to: bundled.to } };
    const own = given.filter(({ origin }) => origin === log.origin).map(({ text }) => text);
    const progress = onProgress === undefined ? {} : { onProgress };
    const report = await verifyLog(store, {
      identity: identities.of(cluster),
      checkpoints: [...own, ...more],
      ...progress,
      ...only,
    });
    if (bundled !== undefined) report.findings.push(...(await uncovered(log, bundled, report, range)));
    return { ...report, place: store.place, cluster, ...only };
  };
  const reports: Verified[] = [];
  for (const log of logs) reports.push(await verify(log, []));
  const seen = reports.flatMap((report) => witnessedBy(report, identities));
  for (const [at, log] of logs.entries()) {
    const more = seen.filter(({ origin }) => origin === log.origin).map(({ text }) => text);
    if (more.length > 0) reports[at] = await verify(log, more);
  }
  const [first] = reports;
  first?.findings.push(...leftOut(given, logs));
  for (const report of reports) {
    const missing = witnessedBy(report, identities).filter(({ origin }) => !isNamed(origin, logs, without));
    report.findings.push(...missingLogs(missing));
  }
  return reports;
}

interface Seen {
  text: string;
  origin: string;
  size: number;
}

/** Checkpoints of other logs in its records, which the identity of their cluster signed. */
function witnessedBy({ witnessed }: Verified, identities: Identities): Seen[] {
  return witnessed.flatMap(({ checkpoint = '' }) => {
    try {
      const { origin } = parseCheckpoint(checkpoint);
      const { size } = readCheckpoint(checkpoint, identities.of(ORIGIN.exec(origin)?.[1] ?? ''));
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
  const { origin, size, root, unsigned, pruned, checkpoints, only, findings } = report;
  return [
    `${origin}: ${size} records, root ${root || '(none)'}`,
    ...(only === undefined ? [] : [`  of which ${recordsOf(only)} are here; of all others the hashes alone`]),
    ...(pruned === 0 ? [] : [`  the records 1 to ${pruned} are forgotten, as a record says; their hashes are here`]),
    ...(unsigned === 0 ? [] : [`  ${unsigned} newer records are not signed yet`]),
    ...(findings.length === 0 ? [`  as it was signed; ${checkpoints} checkpoints agree`] : []),
  ];
}

function recordsOf({ from, to }: { from: number; to: number }): string {
  return to < from ? 'none' : `the records ${from} to ${to}`;
}
