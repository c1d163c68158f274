import { join } from 'node:path';
import { milliseconds } from '../../core/duration.ts';
import { CofferError, nothingFor } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { fromSystemError } from '../../core/files/system-error.ts';
import { objectOf, parseJson } from '../../core/json.ts';
import type { GitConfig } from '../config/settings.ts';
import { type SourceStatus, troubleOf } from '../status/status.ts';

const STALE_AFTER = '1h';
/** In the state directory: id of a source → `[since, succeeded]`: the last look that succeeded, else the first run that looked. */
const FILE = 'looked.json';
/** Milliseconds between two writes at least: what is remembered may be so much older than the truth. */
const WRITE_AFTER = 60_000;

interface Limits {
  /** Milliseconds. */
  staleAfter: number;
  quietAfter: number | undefined;
  /** By `Date.now()`: of the last look that succeeded; else when the first run began that had this source. */
  seen: number;
  hasSucceeded: boolean;
  /** A look of this run came to an end, or had the time to: what an earlier one left is no alarm before. */
  isLooked: boolean;
}

export interface FreshnessOptions {
  sources: readonly { id: string; git: Pick<GitConfig, 'staleAfter' | 'quietAfter'> }[];
  stateDirectory: string;
  now?: () => number;
}

/**
 * Alarms for a source that fails for long, and for one of which nothing new came for long: whoever keeps commits from an operator
 * (by breaking the way to the server, or by a server that shows an old state) makes no noise else. A restart makes no source fresh.
 */
export class Freshness {
  readonly #sources = new Map<string, Limits>();
  readonly #file: string;
  readonly #now: () => number;
  readonly #began: number;
  #written = Number.NEGATIVE_INFINITY;

  constructor({ sources, stateDirectory, now = Date.now }: FreshnessOptions) {
    this.#now = now;
    this.#began = now();
    this.#file = join(stateDirectory, FILE);
    for (const { id, git } of sources) {
      const { staleAfter = STALE_AFTER, quietAfter } = git;
      this.#sources.set(id, {
        ...{ staleAfter: milliseconds(staleAfter), seen: this.#began, hasSucceeded: false, isLooked: false },
        quietAfter: quietAfter === undefined ? undefined : milliseconds(quietAfter),
      });
    }
  }

  /** Reads what earlier runs left. A file that is no such file, or that cannot be read, says nothing: an alarm's memory stops no start. */
  async recall(): Promise<void> {
    const left = parse(await readIfReadable(this.#file));
    for (const [id, source] of this.#sources) {
      const [seen, hasSucceeded] = left.get(id) ?? [Number.NaN, false];
      // What is not over yet was written by a clock that was wrong.
      if (seen <= this.#began) Object.assign(source, { seen, hasSucceeded });
    }
    await this.#write();
  }

  /** A look came to its end. */
  async looked(id: string, result: 'succeeded' | 'failed'): Promise<void> {
    const source = this.#sources.get(id);
    if (source === undefined) return;
    source.isLooked = true;
    if (result === 'failed') return;
    source.seen = this.#now();
    source.hasSucceeded = true;
    if (source.seen < this.#written + WRITE_AFTER && source.seen >= this.#written) return;
    this.#written = source.seen;
    await this.#write();
  }

  /** The same with what is known of its age, and with an alarm where that is too much. */
  of(status: SourceStatus): SourceStatus {
    const source = this.#sources.get(status.id);
    if (source === undefined) return status;
    const { seen, hasSucceeded, isLooked, staleAfter, quietAfter } = source;
    const since = new Date(seen).toISOString();
    const isDue = isLooked || this.#now() - this.#began > staleAfter;
    const isStale = isDue && this.#now() - seen > staleAfter;
    const newest = status.acceptedAt;
    const isQuiet = quietAfter !== undefined && newest !== undefined && this.#now() - Date.parse(newest) > quietAfter;
    const alarms = [...(isStale ? [stale(status, since)] : []), ...(isQuiet ? [quiet(status, newest)] : [])];
    return {
      ...status,
      ...(hasSucceeded ? { lastSuccess: since } : {}),
      ...(isStale ? { staleSince: since } : {}),
      ...(isQuiet ? { quietSince: newest } : {}),
      problems: [...status.problems, ...alarms.map(troubleOf)],
    };
  }

  async #write(): Promise<void> {
    const row = ({ seen, hasSucceeded }: Limits) => [new Date(seen).toISOString(), hasSucceeded];
    const rows = Object.fromEntries(Array.from(this.#sources, ([id, source]) => [id, row(source)]));
    try {
      await writeFileAtomically(this.#file, `${JSON.stringify(rows)}\n`, { mode: 0o600 });
    } catch (error) {
      // A full disk is told by who accepts commits; the next look tries again, and until then sources seem older than they are.
      if (fromSystemError(error) === undefined) throw error;
      this.#written = Number.NEGATIVE_INFINITY;
    }
  }
}

async function readIfReadable(file: string): Promise<string> {
  return (await readIfThere(file).catch(nothingFor())) ?? '';
}

function parse(text: string): Map<string, [seen: number, hasSucceeded: boolean]> {
  return new Map(
    Object.entries(objectOf(parseJson(text))).map(([id, row]) => [
      id,
      Array.isArray(row) ? [Date.parse(String(row[0])), row[1] === true] : [Number.NaN, false],
    ]),
  );
}

function stale({ id, address }: SourceStatus, since: string): CofferError {
  return new CofferError('SOURCE_STALE', `${address}: no look has succeeded since ${since}`, {
    advice: 'Look at what the last look said; what is projected is as old as that.',
    data: { source: id },
    loop: 'retry',
  });
}

function quiet({ id, address, commit }: SourceStatus, since: string): CofferError {
  return new CofferError('SOURCE_QUIET', `${address}: nothing new has come since ${since}`, {
    advice:
      'Compare the commit with the one that people see at the forge: a server or a mirror may be showing an old state. Else raise `quietAfter`.',
    data: { source: id, ...(commit === undefined ? {} : { commit }) },
  });
}
