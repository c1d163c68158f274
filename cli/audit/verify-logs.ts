import { parseCheckpoint } from '../../core/audit/note/checkpoint.ts';
import { type Report, verifyLog } from '../../core/audit/verify.ts';
import { CofferError } from '../../core/errors.ts';
import type { Identities } from './identity-of.ts';
import type { OpenedLog } from './open-logs.ts';

export interface Verified extends Report {
  place: string;
  cluster: string;
  /** Of a bundle: the records whose text it brings along. */
  only?: { from: number; to: number };
}

/**
 * Verifies logs, each against the checkpoints that are given and those that the other logs have seen of it: so one that was cut, or put
 * back as it was, is found although its own checkpoint fits. Throws CofferError `AUDIT_IDENTITY_UNKNOWN`, `AUDIT_CHECKPOINT_INVALID` for a
 * file that is no checkpoint, and what reading throws.
 */
export async function verifyLogs(
  logs: readonly OpenedLog[],
  identities: Identities,
  given: readonly string[],
  onProgress: (place: string, records: number) => void,
): Promise<Verified[]> {
  const parsed = given.map((text) => ({ text, origin: parseCheckpoint(text).origin }));
  const verify = async (log: OpenedLog, more: readonly string[]): Promise<Verified> => {
    const { store, cluster, bundled } = log;
    const only = bundled === undefined ? {} : { only: { from: bundled.from, to: bundled.to } };
    const report = await verifyLog(store, {
      identity: identities.of(cluster),
      // With one log, what is given is meant for it: where it is of another, this log took its place.
      checkpoints: [
        ...parsed.filter(({ origin }) => logs.length === 1 || origin === log.origin).map(({ text }) => text),
        ...more,
      ],
      onProgress: (records) => onProgress(store.place, records),
      ...only,
    });
    return { ...report, place: store.place, cluster, ...only };
  };
  const reports: Verified[] = [];
  for (const log of logs) reports.push(await verify(log, []));
  const seen = reports.flatMap(({ witnessed }) => witnessed.flatMap(({ checkpoint }) => checkpoint ?? []));
  for (const [at, log] of logs.entries()) {
    const more = seen.filter((text) => isOf(text, log.origin));
    if (more.length > 0) reports[at] = await verify(log, more);
  }
  return reports;
}

function isOf(text: string, origin: string): boolean {
  try {
    return parseCheckpoint(text).origin === origin;
  } catch (error) {
    // What a record holds is whatever its operator was shown.
    if (error instanceof CofferError) return false;
    throw error;
  }
}

/** For people, without an end of line. */
export function reportLines(report: Verified): string[] {
  const { origin, size, root, unsigned, pruned, checkpoints, only, findings } = report;
  return [
    `${origin}: ${size} records, root ${root || '(none)'}`,
    ...(only === undefined ? [] : [`  of which ${recordsOf(only)} are here; of the others their hashes`]),
    ...(pruned === 0 ? [] : [`  the records 1 to ${pruned} are forgotten, as a record says; their hashes are here`]),
    ...(unsigned === 0 ? [] : [`  ${unsigned} newer records are not signed yet`]),
    ...(findings.length === 0 ? [`  as it was signed; ${checkpoints} checkpoints agree`] : []),
  ];
}

function recordsOf({ from, to }: { from: number; to: number }): string {
  return to < from ? 'none' : `the records ${from} to ${to}`;
}
