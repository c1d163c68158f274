import { hash } from 'node:crypto';
import { constants, type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeAt } from '../files/write-at.ts';
import { parseJson } from '../json.ts';
import { Turns } from '../turns.ts';
import { type FactRow, factOf, rowOf } from './fact-rows.ts';
import type { Role } from './facts.ts';
import { type CommitFacts, HistoryFacts } from './history-facts.ts';

/** Raised with what a record says: a file of another version is begun anew. */
const VERSION = 4;
/** Rows in one block, after which others have their turn. */
const MOST_ROWS = 4000;
/** After a place could not be written, in milliseconds. */
const PATIENCE = 3_600_000;
const NEWLINE = 0x0a;

type VersionRow = [oid: string, role: Role, facts: readonly number[]];
type Rows = { facts?: FactRow[]; paths?: string[]; versions?: VersionRow[]; commits?: CommitFacts[] };

interface Loaded {
  records: HistoryFacts;
  end: number;
}

interface Sizes {
  facts: number;
  paths: number;
  versions: number;
  commits: number;
}

/**
 * Records of a history in a file that is added to: a line that says for which cut-off history it is (git's `shallow` file), then
 * blocks of a line `{sizes, length, sha256}` and as many bytes of JSON. A block that is torn, damaged, or was written by another
 * process beside ours does not count, and neither does what stands behind it.
 */
export class ExposureCache {
  readonly records: HistoryFacts;
  readonly #file: string;
  readonly #header: string;
  readonly #now: () => number;
  #end: number;
  #saved: Sizes;
  /** When it is tried again, after the place could not be written. */
  #notBefore = Number.NEGATIVE_INFINITY;

  private constructor(file: string, header: string, loaded: Loaded, now: () => number) {
    this.#file = file;
    this.#header = header;
    this.#now = now;
    this.records = loaded.records;
    this.#end = loaded.end;
    this.#saved = sizesOf(loaded.records);
  }

  /**
   * What is not there, or cannot be read, is nothing. Rejects with the reason of the signal.
   *
   * @param shallow Repository.shallow() @param options.now milliseconds by a clock that nobody sets
   */
  static async open(
    file: string,
    shallow: ReadonlySet<string>,
    { signal, now = () => performance.now() }: { signal?: AbortSignal; now?: () => number } = {},
  ): Promise<ExposureCache> {
    const header = `coffer exposure ${VERSION} ${hash('sha256', [...shallow].sort().join())}\n`;
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    const isOurs = bytes.subarray(0, header.length).equals(Buffer.from(header));
    const loaded = isOurs
      ? await load(bytes, header.length, new Turns(signal))
      : { records: new HistoryFacts(), end: 0 };
    return new ExposureCache(file, header, loaded, now);
  }

  /**
   * Adds what is new; false where the place cannot be written: all is read again next time, then. That is not tried at each commit: of
   * a long history it would all be printed for nothing. Rejects with the reason of the signal; what was written until then counts.
   */
  async save(signal?: AbortSignal): Promise<boolean> {
    if (this.#now() < this.#notBefore) return false;
    if (isSame(this.#saved, sizesOf(this.records))) return true;
    const turns = new Turns(signal);
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      const file = await open(this.#file, constants.O_RDWR | constants.O_CREAT, 0o600);
      try {
        await file.truncate(this.#end);
        if (this.#end === 0) this.#end += await added(file, Buffer.from(this.#header), 0);
        for (const { bytes, sizes } of blocksSince(this.records, this.#saved)) {
          this.#end += await added(file, bytes, this.#end);
          this.#saved = sizes;
          await turns.next();
        }
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      this.#notBefore = this.#now() + PATIENCE;
      return false;
    }
    return true;
  }
}

async function added(file: FileHandle, bytes: Buffer, at: number): Promise<number> {
  await writeAt(file, bytes, at);
  return bytes.length;
}

function isSame(a: Sizes, b: Sizes): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sizesOf({ facts, paths, versions, commits }: HistoryFacts): Sizes {
  return { facts: facts.length, paths: paths.length, versions: versions.length, commits: commits.length };
}

async function load(bytes: Buffer, start: number, turns: Turns): Promise<Loaded> {
  const records = new HistoryFacts();
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf(NEWLINE, at);
    const head = lineEnd < 0 ? undefined : headOf(bytes.toString('utf8', at, lineEnd));
    if (head === undefined) return { records, end: at };
    const payload = bytes.subarray(lineEnd + 1, lineEnd + 1 + head.length);
    const isWhole = payload.length === head.length && hash('sha256', payload) === head.sha256;
    if (!isWhole || !isSame(head.sizes, sizesOf(records))) return { records, end: at };
    take(records, JSON.parse(payload.toString('utf8')) as Rows);
    at = lineEnd + 1 + head.length;
    await turns.next();
  }
}

const HEAD = /^\{"sizes":\{[a-z0-9":,]+\},"length":\d{1,12},"sha256":"[0-9a-f]{64}"\}$/;

function headOf(line: string): { sizes: Sizes; length: number; sha256: string } | undefined {
  if (!HEAD.test(line)) return undefined;
  return parseJson(line) as { sizes: Sizes; length: number; sha256: string } | undefined;
}

function take(records: HistoryFacts, { facts = [], paths = [], versions = [], commits = [] }: Rows): void {
  for (const row of facts) records.fact(factOf(row));
  for (const path of paths) records.path(path);
  for (const [oid, role, numbers] of versions) records.addVersion({ oid, role, facts: numbers });
  for (const commit of commits) records.addCommit(commit);
}

/**
 * Tables that others refer to come first: what is torn off behind them is missed by nothing. `sizes`: of the tables with the block. One
 * block is made at a time, when it is asked for.
 */
function* blocksSince(records: HistoryFacts, saved: Sizes): Generator<{ bytes: Buffer; sizes: Sizes }> {
  const rowsOf = {
    facts: (from: number, to: number) => records.facts.slice(from, to).map(rowOf),
    paths: (from: number, to: number) => records.paths.slice(from, to),
    versions: (from: number, to: number) =>
      records.versions.slice(from, to).map(({ oid, role, facts }): VersionRow => [oid, role, facts]),
    commits: (from: number, to: number) => records.commits.slice(from, to),
  };
  const wanted = sizesOf(records);
  let sizes = saved;
  for (const name of ['facts', 'paths', 'versions', 'commits'] as const) {
    while (sizes[name] < wanted[name]) {
      const to = Math.min(sizes[name] + MOST_ROWS, wanted[name]);
      const payload = Buffer.from(`${JSON.stringify({ [name]: rowsOf[name](sizes[name], to) })}\n`);
      const head = { sizes, length: payload.length, sha256: hash('sha256', payload) };
      sizes = { ...sizes, [name]: to };
      yield { bytes: Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), payload]), sizes };
    }
  }
}
