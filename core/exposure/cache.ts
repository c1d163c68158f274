import { hash } from 'node:crypto';
import { constants, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeAt } from '../files/write-at.ts';
import { parseJson } from '../json.ts';
import type { Fact, Role } from './facts.ts';
import { type CommitFacts, HistoryFacts } from './history-facts.ts';

/** Raised with what a record says: a file of another version is begun anew. */
const VERSION = 4;
/** Rows in one block, after which others have their turn. */
const MOST_ROWS = 4000;
const NEWLINE = 0x0a;

type VersionRow = [oid: string, role: Role, facts: readonly number[]];
type Rows = { facts?: Fact[]; paths?: string[]; versions?: VersionRow[]; commits?: CommitFacts[] };

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
  #end: number;
  #saved: Sizes;

  private constructor(file: string, header: string, loaded: { records: HistoryFacts; end: number }) {
    this.#file = file;
    this.#header = header;
    this.records = loaded.records;
    this.#end = loaded.end;
    this.#saved = sizesOf(loaded.records);
  }

  /** What is not there, or cannot be read, is nothing. `shallow`: Repository.shallow(). */
  static async open(file: string, shallow: ReadonlySet<string>): Promise<ExposureCache> {
    const header = `coffer exposure ${VERSION} ${hash('sha256', [...shallow].sort().join())}\n`;
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    const isOurs = bytes.subarray(0, header.length).equals(Buffer.from(header));
    return new ExposureCache(
      file,
      header,
      isOurs ? load(bytes, header.length) : { records: new HistoryFacts(), end: 0 },
    );
  }

  /** Adds what is new; false where the place cannot be written: all is read again next time, then. */
  async save(): Promise<boolean> {
    const blocks = [...blocksSince(this.records, this.#saved)];
    if (blocks.length === 0) return true;
    const bytes = Buffer.concat([...(this.#end === 0 ? [Buffer.from(this.#header)] : []), ...blocks]);
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      const file = await open(this.#file, constants.O_RDWR | constants.O_CREAT, 0o600);
      try {
        await file.truncate(this.#end);
        await writeAt(file, bytes, this.#end);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) return false;
      throw error;
    }
    this.#end += bytes.length;
    this.#saved = sizesOf(this.records);
    return true;
  }
}

function sizesOf({ facts, paths, versions, commits }: HistoryFacts): Sizes {
  return { facts: facts.length, paths: paths.length, versions: versions.length, commits: commits.length };
}

function load(bytes: Buffer, start: number): { records: HistoryFacts; end: number } {
  const records = new HistoryFacts();
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf(NEWLINE, at);
    const head = lineEnd < 0 ? undefined : headOf(bytes.toString('utf8', at, lineEnd));
    if (head === undefined) return { records, end: at };
    const payload = bytes.subarray(lineEnd + 1, lineEnd + 1 + head.length);
    const isWhole = payload.length === head.length && hash('sha256', payload) === head.sha256;
    if (!isWhole || JSON.stringify(head.sizes) !== JSON.stringify(sizesOf(records))) return { records, end: at };
    take(records, JSON.parse(payload.toString('utf8')) as Rows);
    at = lineEnd + 1 + head.length;
  }
}

const HEAD = /^\{"sizes":\{[a-z0-9":,]+\},"length":\d{1,12},"sha256":"[0-9a-f]{64}"\}$/;

function headOf(line: string): { sizes: Sizes; length: number; sha256: string } | undefined {
  if (!HEAD.test(line)) return undefined;
  return parseJson(line) as { sizes: Sizes; length: number; sha256: string } | undefined;
}

function take(records: HistoryFacts, { facts = [], paths = [], versions = [], commits = [] }: Rows): void {
  for (const fact of facts) records.fact(fact);
  for (const path of paths) records.path(path);
  for (const [oid, role, numbers] of versions) records.addVersion({ oid, role, facts: numbers });
  for (const commit of commits) records.addCommit(commit);
}

/** Tables that others refer to come first: what is torn off behind them is missed by nothing. */
function* blocksSince(records: HistoryFacts, saved: Sizes): Generator<Buffer> {
  const sizes = { ...saved };
  const versions = records.versions.slice(saved.versions).map(({ oid, role, facts }): VersionRow => [oid, role, facts]);
  const tables = {
    facts: records.facts.slice(saved.facts),
    paths: records.paths.slice(saved.paths),
    versions,
    commits: records.commits.slice(saved.commits),
  };
  for (const name of ['facts', 'paths', 'versions', 'commits'] as const) {
    for (let from = 0; from < tables[name].length; from += MOST_ROWS) {
      const rows = tables[name].slice(from, from + MOST_ROWS);
      const payload = Buffer.from(`${JSON.stringify({ [name]: rows })}\n`);
      const head = { sizes, length: payload.length, sha256: hash('sha256', payload) };
      yield Buffer.from(`${JSON.stringify(head)}\n`);
      yield payload;
      sizes[name] += rows.length;
    }
  }
}
