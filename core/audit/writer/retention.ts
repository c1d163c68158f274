import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../errors.ts';
import { isSystemError } from '../../files/system-error.ts';
import { lineOf } from '../canonical.ts';
import { DirectoryStore } from '../directory-store.ts';
import { ENTRY_TILE_LIMIT, entriesIn } from '../entry-tile.ts';
import type { AuditRecord } from '../record.ts';
import { TILE_WIDTH, tileOf, tilePath } from '../tree/tile.ts';
import { unwritable } from './errors.ts';

/** Between looks; milliseconds. */
const INTERVAL = 60 * 60 * 1000;
/** Milliseconds for which every look has to call an entry tile old: a clock that is ahead for a while would else cost the whole log. */
const AGREED = 24 * 60 * 60 * 1000;

export interface Pruner {
  append(records: readonly AuditRecord[]): Promise<void>;
}

export interface RetentionOptions {
  keep?: number;
  now: () => Date;
  /** Milliseconds that no setting of a clock changes; absent: of this process. */
  uptime?: () => number;
}

/**
 * Forgets full entry tiles whose newest record is older than `keep`, after a record that says so; never at a start, but when
 * all looks of a day said it. The hashes stay, and with them every proof and every checkpoint.
 */
export class Retention {
  readonly #directory: string;
  readonly #pruner: Pruner;
  readonly #keep: number | undefined;
  readonly #now: () => Date;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** The look that is under way, or the last one. */
  #look: Promise<void> = Promise.resolve();
  readonly #uptime: () => number;
  #oldest: number | undefined;
  /** Entry tiles before `end` are what all looks since `at` called old. */
  #agreed: { end: number; at: number } | undefined;

  constructor(directory: string, pruner: Pruner, options: RetentionOptions) {
    const { keep, now, uptime = () => performance.now() } = options;
    this.#directory = directory;
    this.#pruner = pruner;
    this.#keep = keep;
    this.#now = now;
    this.#uptime = uptime;
  }

  /** Looks now and then. `tiled`: how many records are in full tiles. */
  begin(tiled: () => number): void {
    if (this.#keep === undefined) return;
    const look = () => void this.prune(tiled()).catch(leaveForLater);
    this.#timer = setInterval(look, INTERVAL).unref();
    look();
  }

  /** Looks no more, and waits for a look that is under way, which stops where it is: what is left is due again. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isClosed = true;
    await Promise.allSettled([this.#look]);
  }

  /** Forgets what is due, as of this look and those of the last day. Throws CofferError, and rejects with the system's error; then what is left is due again. */
  prune(tiled: number): Promise<void> {
    this.#look = this.#look.then(
      () => this.#prune(tiled),
      () => this.#prune(tiled),
    );
    return this.#look;
  }

  async #prune(tiled: number): Promise<void> {
    if (this.#keep === undefined) return;
    const before = new Date(this.#now().getTime() - this.#keep).toISOString();
    const first = this.#oldest ?? (await oldestTile(this.#directory));
    this.#oldest = first;
    if (first === undefined) return;
    let old = first;
    // The last full one stays: a log whose every entry tile is gone could not be told from one that lost them.
    while (!this.#isClosed && old < tiled / TILE_WIDTH - 1 && (await this.#isOlder(old, before))) old++;
    const end = this.#agreedOn(old);
    if (this.#isClosed || end === undefined || end <= first) return;
    const count = end * TILE_WIDTH;
    await this.#pruner.append([
      { event: 'log.pruned', count, message: `the text of the records 1 to ${count} is forgotten; their hashes stay` },
    ]);
    for (let index = first; index < end && !this.#isClosed; index++) {
      await rm(join(this.#directory, pathOf(index)), { force: true });
      this.#oldest = index + 1;
    }
  }

  /** What this look and the ones of a day before it call old; undefined: it is not a day yet. */
  #agreedOn(old: number): number | undefined {
    const at = this.#uptime();
    const agreed = this.#agreed ?? { end: old, at };
    const end = Math.min(agreed.end, old);
    const isDay = at - agreed.at >= AGREED;
    this.#agreed = isDay ? { end: old, at } : { end, at: agreed.at };
    return isDay ? end : undefined;
  }

  async #isOlder(index: number, before: string): Promise<boolean> {
    const tile = await new DirectoryStore(this.#directory).read(pathOf(index), ENTRY_TILE_LIMIT);
    const last = tile === undefined ? undefined : entriesIn(tile)?.at(-1);
    const line = last === undefined ? undefined : lineOf(last);
    // What cannot be read is kept: whoever verifies has to see it.
    return line !== undefined && line.time < before;
  }
}

function pathOf(index: number): string {
  return tilePath({ level: 'entries', index, width: TILE_WIDTH });
}

async function oldestTile(directory: string): Promise<number | undefined> {
  const names = await readdir(join(directory, 'tile', 'entries'), { recursive: true }).catch(emptyIfMissing);
  const full = names.map((name) => tileOf(`tile/entries/${name}`)).filter((tile) => tile?.width === TILE_WIDTH);
  return full.reduce<number | undefined>(
    (least, tile) => Math.min(least ?? Infinity, tile?.index ?? Infinity),
    undefined,
  );
}

function emptyIfMissing(error: unknown): string[] {
  if (isSystemError(error, 'ENOENT')) return [];
  throw error;
}

/** A disk that fails now fails for the next record as well, which says so. */
function leaveForLater(error: unknown): void {
  if (!(unwritable(error, '') instanceof CofferError)) throw error;
}
