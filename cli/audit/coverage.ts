import { lineOf } from '../../core/audit/canonical.ts';
import { TILE_WIDTH, widthIn } from '../../core/audit/tree/tile.ts';
import { type Finding, plural } from '../../core/audit/verify/finding.ts';
import { readEntryTile } from '../../core/audit/verify/tile-pass.ts';
import type { OpenedLog } from './open-logs.ts';

/** A time range, ISO 8601 in UTC: from the first to before the second. */
export interface Range {
  from: string;
  to: string;
}

/**
 * What a bundle should bring along and does not. Which records belong to a time only records can say: that all of it is here is seen by
 * one before it and one after it, or by the ends of the log and what was forgotten of it. What the bundle says of itself counts for nothing.
 */
export async function uncovered(
  log: OpenedLog,
  here: { from: number; to: number },
  { size, forgotten }: { size: number; forgotten: number },
  range: Range | undefined,
): Promise<Finding[]> {
  const [first, last] = [Math.max(1, here.from), Math.min(here.to, size)];
  if (last < first) return size === 0 ? [] : [absent(1, size, range)];
  const findings: Finding[] = [];
  const [begins, ends] = [await timeOf(log, first, size), await timeOf(log, last, size)];
  const isBefore = range !== undefined && begins !== undefined && begins < range.from;
  const isAfter = range !== undefined && ends !== undefined && ends >= range.to;
  if (first - 1 > forgotten && !isBefore) findings.push(absent(1, first - 1, range));
  if (last < size && !isAfter) findings.push(absent(last + 1, size, range));
  return findings;
}

function absent(from: number, to: number, range: Range | undefined): Finding {
  const why =
    range === undefined ? 'say with --from and --to which time has to be covered' : 'some of it may be of that time';
  return { kind: 'absent', from, to, message: `the text of ${plural(from, to)} is not here: ${why}` };
}

/** Of a record, as it stands in the bundle; undefined: it is not there. */
async function timeOf({ store }: OpenedLog, number: number, size: number): Promise<string | undefined> {
  const index = Math.floor((number - 1) / TILE_WIDTH);
  const entry = (await readEntryTile(store, index, widthIn(size, 0, index)))?.entries[(number - 1) % TILE_WIDTH];
  return entry === undefined ? undefined : lineOf(entry)?.time;
}
