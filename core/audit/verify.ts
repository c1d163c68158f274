import type { AuditLine } from './record.ts';
import type { LogStore } from './store.ts';
import { TILE_WIDTH } from './tree/tile.ts';
import { compareRecords } from './verify/compare.ts';
import { type Finding, plural, runs } from './verify/finding.ts';
import { alteredTiles } from './verify/hash-tiles.ts';
import { checkJournal } from './verify/journal-check.ts';
import { signedLeaves } from './verify/locate.ts';
import type { WantedRecords } from './verify/log-records.ts';
import { passOver, rootAt, type TilePass } from './verify/tile-pass.ts';
import { readTrusted, seenOf, type Trusted, type TrustedCheckpoints } from './verify/trusted.ts';

export interface Report {
  origin: string;
  /** Records that the checkpoint covers. */
  size: number;
  /** Base64; empty: there is no checkpoint that can be believed. */
  root: string;
  /** Records after the checkpoint: whole, but not signed yet. */
  unsigned: number;
  /** The first so many records are forgotten, and a record says so. */
  pruned: number;
  /** As its records say, the text of the first so many was forgotten; `pruned` of them are not there. */
  forgotten: number;
  /** Checkpoints that were found to be of this log, the newest included. */
  checkpoints: number;
  /** What records tell of other logs of the cluster. */
  witnessed: AuditLine[];
  /** Empty: everything is as it was signed. */
  findings: Finding[];
}

export interface VerifyOptions {
  /** The Ed25519 public key that is pinned, 32 bytes. */
  identity: Buffer;
  /** Checkpoints of earlier days: each must be a prefix of the log. */
  checkpoints?: readonly string[];
  /** Of a bundle for an auditor: the records whose text it brings along; absent: all. Counted from 1, both ends belong to it. */
  only?: { from: number; to: number };
  /** Called now and then with the number of records that were looked at. */
  onProgress?: (records: number) => void;
  /** Given from the bytes that are hashed, so that no store can answer otherwise later. */
  wanted?: WantedRecords;
}

/**
 * Reads a whole log and says whether it is what the identity signed: every record, every stored hash, every checkpoint that it keeps
 * and every earlier one that is given. Whoever owns the disk but not the identity can change nothing that this does not find, except
 * at the end: what no checkpoint covers that we are shown.
 *
 * What it reads is hostile. Throws CofferError only for what the store itself says (`FILE_SYSTEM`, `AUDIT_TOO_LARGE` …).
 */
export async function verifyLog(store: LogStore, options: VerifyOptions): Promise<Report> {
  return await reportOn(await readLog(store, options), []);
}

/** A log that was read once, from its first record to its last. */
export interface ReadLog {
  readonly store: LogStore;
  readonly options: VerifyOptions;
  readonly trusted: TrustedCheckpoints;
  /** Undefined: it has no checkpoint that can be believed. */
  readonly pass: TilePass | undefined;
}

/** Reads a log as `verifyLog` does: what it has seen of others can then be held against them, before anything is said of it. */
export async function readLog(store: LogStore, options: VerifyOptions): Promise<ReadLog> {
  const trusted = await readTrusted(store, options.identity, options.checkpoints ?? []);
  const end = endOf(trusted);
  if (end === undefined) return { store, options, trusted, pass: undefined };
  const sizes = new Set(trusted.all.map(({ size }) => size));
  const pass = await passOver(store, end.size, sizes, options.onProgress ?? (() => undefined), options.wanted);
  return { store, options, trusted, pass };
}

/** How far a log is read. */
function endOf({ newest, all }: TrustedCheckpoints): Trusted | undefined {
  return newest ?? all.at(-1);
}

/** What `verifyLog` says of it, also by checkpoints of it that others have seen; those that its identity did not sign count for nothing. */
export async function reportOn(read: ReadLog, witnessed: readonly string[]): Promise<Report> {
  const { store, options, pass } = read;
  const { newest, origin } = read.trusted;
  const findings = [...read.trusted.findings];
  const seen = witnessed.map((note) => seenOf(note, origin, options.identity)).filter((one) => one !== undefined);
  const end = endOf(read.trusted);
  // A log that shows none of its own is read as far as others have seen it.
  if (newest === undefined && seen.some(({ size }) => size > (end?.size ?? 0)))
    return await verifyLog(store, { ...options, checkpoints: [...(options.checkpoints ?? []), ...witnessed] });
  const report: Report = {
    origin,
    size: end?.size ?? 0,
    root: end?.root.toString('base64') ?? '',
    unsigned: 0,
    pruned: 0,
    forgotten: 0,
    checkpoints: 0,
    witnessed: [],
    findings,
  };
  if (end === undefined || pass === undefined) return report;
  for (const { size } of seen) {
    const root = size < end.size && !pass.roots.has(size) ? await rootAt(store, pass, end.size, size) : undefined;
    if (root !== undefined) pass.roots.set(size, root);
  }
  const all = [...read.trusted.all, ...seen].sort((a, b) => a.size - b.size);
  const isRight = ({ size, root }: Trusted) => size === 0 || pass.roots.get(size)?.equals(root) === true;
  const wrong = all.filter((checkpoint) => checkpoint.size <= end.size && !isRight(checkpoint));
  report.checkpoints = all.filter(isRight).length;
  report.witnessed = pass.witnessed;

  if (isRight(end)) {
    findings.push(...misnumbered(pass), ...(await alteredTiles(store, end.size, pass)));
    findings.push(...forks(wrong, all.filter(isRight)));
  } else {
    findings.push(...(await changes(store, pass, wrong, all.filter(isRight))));
  }
  findings.push(...overfull(pass), ...cutOff(all, end));
  const gaps = missingRecords(pass, end.size, options.only);
  report.pruned = gaps.pruned;
  report.forgotten = pass.forgotten;
  findings.push(...gaps.findings);
  const journal = await checkJournal(store, end.size, isRight(end));
  report.unsigned = journal.unsigned;
  findings.push(...journal.findings);
  return report;
}

/** Signed so: whoever wrote the log has made a mistake. */
function misnumbered(pass: TilePass): Finding[] {
  return runs(pass.misnumbered).map(({ from, to }) => {
    return { kind: 'malformed', from, to, message: `${plural(from, to)}: the number in the text is another` };
  });
}

function overfull(pass: TilePass): Finding[] {
  return pass.overfull.map((last) => {
    return {
      kind: 'inserted',
      from: last + 1,
      message: `after record ${last} its tile goes on with what was never signed`,
    };
  });
}

const WHOSE: Record<Trusted['from'], string> = {
  given: 'that you gave',
  seen: 'that another log has seen',
  history: 'that the log keeps',
  log: 'that the log keeps',
};

/** The newest checkpoint is right, and these of the same identity are not: it has signed another history. */
function forks(wrong: readonly Trusted[], right: readonly Trusted[]): Finding[] {
  return wrong.map(({ size, from }) => {
    const same = sizeBelow(right, size);
    const whose = WHOSE[from];
    const message = `a checkpoint ${whose}, of ${size} records, is signed and is of another history: it differs in ${plural(same + 1, size)}`;
    return { kind: 'forked', from: same + 1, to: size, message };
  });
}

/** Something of what the newest checkpoint covers was changed: what, as exactly as what is left can say. */
async function changes(
  store: LogStore,
  pass: TilePass,
  wrong: readonly Trusted[],
  right: readonly Trusted[],
): Promise<Finding[]> {
  // The largest tells of most. Where nothing leads down from it, a smaller one may do.
  for (const checkpoint of wrong.toReversed()) {
    const signed = await signedLeaves(store, pass, checkpoint);
    if (signed === undefined) continue;
    const unknown = signed.unknown.filter((tile) => !pass.missing.has(tile));
    const found = await compareRecords(store, checkpoint.size, { ...signed, unknown });
    if (found.length > 0) return found;
  }
  const first = wrong[0];
  const to = first?.size ?? 0;
  const from = sizeBelow(right, to) + 1;
  if (first === undefined || isMissingWithin(pass, from, to)) return [];
  const message = `one or more of ${plural(from, to)} were changed, and the hashes were made anew to fit`;
  return [{ kind: 'edited', from, to, message }];
}

function sizeBelow(right: readonly Trusted[], size: number): number {
  return right.filter((checkpoint) => checkpoint.size < size).at(-1)?.size ?? 0;
}

function isMissingWithin({ missing }: TilePass, from: number, to: number): boolean {
  return [...missing].some((index) => index * TILE_WIDTH < to && (index + 1) * TILE_WIDTH >= from);
}

/** Checkpoints of more records than the newest one of the log. */
function cutOff(all: readonly Trusted[], end: Trusted): Finding[] {
  const largest = all.at(-1);
  if (largest === undefined || largest.size <= end.size) return [];
  const [from, to] = [end.size + 1, largest.size];
  return [{ kind: 'truncated', from, to, message: `${plural(from, to)} were signed, and the log ends before them` }];
}

/** Records whose text is not there. At the beginning they may have been forgotten, if a record says so. */
function missingRecords(
  { missing, prunedBefore, forgotten }: TilePass,
  size: number,
  only: { from: number; to: number } | undefined,
): { pruned: number; findings: Finding[] } {
  const pruned = only === undefined ? Math.min(prunedBefore, forgotten) : 0;
  const findings: Finding[] = [];
  for (const index of [...missing].sort((a, b) => a - b)) {
    const [from, to] = [index * TILE_WIDTH + 1, Math.min((index + 1) * TILE_WIDTH, size)];
    const isOutside = only !== undefined && (to < only.from || from > only.to);
    if (to <= pruned || isOutside) continue;
    const kind = to === size ? 'truncated' : 'deleted';
    const last = findings.at(-1);
    if (last?.to === from - 1) findings.pop();
    const start = last?.to === from - 1 ? (last.from ?? from) : from;
    findings.push({
      kind,
      from: start,
      to,
      message: `${plural(start, to)} are not there, and no record says that they were forgotten`,
    });
  }
  return { pruned, findings };
}
