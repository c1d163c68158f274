import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CofferError } from '../errors.ts';
import { readUpTo } from '../files/read-up-to.ts';
import { throwRefusal, undefinedIfMissing } from '../files/system-error.ts';
import { entriesIn, entryTileOf } from './entry-tile.ts';
import type { LogStore } from './store.ts';
import { HASH_BYTES } from './tree/merkle.ts';
import { TILE_WIDTH, type Tile, tileOf, tilePath } from './tree/tile.ts';

/** Besides tiles. */
const FILES = new Set(['checkpoint', 'checkpoints', 'journal', 'origin']);

/**
 * A log in a directory. Of partial tiles the directory keeps those of the newest checkpoints; narrower ones, which the C2SP page
 * wants served as long as the full tile is not there, are the beginning of a wider one.
 */
export class DirectoryStore implements LogStore {
  readonly place: string;

  constructor(directory: string) {
    this.place = directory;
  }

  /** Throws CofferError `AUDIT_TOO_LARGE`, and for what else the system says. */
  async read(path: string, limit: number): Promise<Buffer | undefined> {
    const tile = tileOf(path);
    if (tile === undefined && !FILES.has(path)) return undefined;
    const bytes = await readFile(join(this.place, path), limit);
    if (bytes !== undefined || tile === undefined || tile.width === TILE_WIDTH) return bytes;
    return await this.#fromWider(tile, limit);
  }

  async #fromWider(tile: Tile, limit: number): Promise<Buffer | undefined> {
    const wider = (await this.#partials(tile)).filter((width) => width > tile.width);
    for (const width of [...wider, TILE_WIDTH]) {
      const bytes = await readFile(join(this.place, tilePath({ ...tile, width })), limit);
      if (bytes !== undefined) return beginning(bytes, tile);
    }
    return undefined;
  }

  /** The widths that are there, the narrowest first. */
  async #partials(tile: Tile): Promise<number[]> {
    const folder = join(this.place, dirname(tilePath({ ...tile, width: 1 })));
    const names = await readdir(folder).catch(undefinedIfMissing).catch(throwRefusal);
    const widths = (names ?? []).filter((name) => /^[1-9][0-9]{0,2}$/.test(name)).map(Number);
    return widths.sort((a, b) => a - b);
  }
}

function beginning(bytes: Buffer, { level, width }: Tile): Buffer | undefined {
  if (level !== 'entries') return bytes.length < width * HASH_BYTES ? undefined : bytes.subarray(0, width * HASH_BYTES);
  const entries = entriesIn(bytes)?.slice(0, width);
  return entries?.length === width ? entryTileOf(entries) : undefined;
}

async function readFile(path: string, limit: number): Promise<Buffer | undefined> {
  return await readUpTo(path, limit, () => tooLarge(path, limit));
}

export function tooLarge(path: string, limit: number): CofferError {
  return new CofferError('AUDIT_TOO_LARGE', `A file of the log has more than the ${limit} bytes that it may have.`, {
    advice: 'It was not written by coffer; look who else writes there.',
    data: { path },
    exit: 1,
  });
}
