import { CofferError } from '../../errors.ts';
import type { LogStore } from '../store.ts';
import { HASH_BYTES, hashesIn, rootOf } from './merkle.ts';
import { span, TILE_WIDTH, type Tile, tilePath, widthIn } from './tile.ts';

/** Reads hashes of a tree of `size` records from the tiles of a log, each tile once. */
export class TileReader {
  readonly size: number;
  readonly #store: LogStore;
  readonly #tiles = new Map<string, Buffer[]>();

  constructor(store: LogStore, size: number) {
    this.#store = store;
    this.size = size;
  }

  /**
   * The hashes of a tile, as many as a tree of this size has. A tile that has become wider since will do, and so do the tiles
   * below it. Throws CofferError `AUDIT_TILE_MISSING`.
   */
  async hashes(level: number, index: number): Promise<Buffer[]> {
    const width = widthIn(this.size, level, index);
    const path = tilePath({ level, index, width });
    const known = this.#tiles.get(path);
    if (known !== undefined) return known;
    const bytes = await readTile(this.#store, { level, index, width });
    if (bytes === undefined && level === 0) throw missing(this.#store, path);
    const hashes = bytes === undefined ? await this.#fromBelow(level, index, width) : hashesIn(bytes);
    this.#tiles.set(path, hashes);
    return hashes;
  }

  async #fromBelow(level: number, index: number, width: number): Promise<Buffer[]> {
    const roots: Buffer[] = [];
    for (let at = 0; at < width; at++) roots.push(rootOf(await this.hashes(level - 1, index * TILE_WIDTH + at)));
    return roots;
  }

  /** The root of a perfect subtree: of the `2^height` records from `index * 2^height` on. */
  async subtree(height: number, index: number): Promise<Buffer> {
    const level = Math.floor(height / 8);
    const count = 2 ** (height % 8);
    const first = index * count;
    const hashes = await this.hashes(level, Math.floor(first / TILE_WIDTH));
    return rootOf(hashes.slice(first % TILE_WIDTH, (first % TILE_WIDTH) + count));
  }

  /** The partial tiles of the tree of the first `size` records, level by level. */
  async edge(size: number): Promise<Buffer[][]> {
    const levels: Buffer[][] = [];
    for (let level = 0; span(level) <= size; level++) {
      const hashes = Math.floor(size / span(level));
      const index = Math.floor(hashes / TILE_WIDTH);
      const width = hashes % TILE_WIDTH;
      levels.push(width === 0 ? [] : (await this.hashes(level, index)).slice(0, width));
    }
    return levels;
  }
}

/** Exactly `width` hashes of a tile, from a wider one where that is what there is; undefined: none of it is there. */
export async function readTile(store: LogStore, { level, index, width }: Tile): Promise<Buffer | undefined> {
  const limit = TILE_WIDTH * HASH_BYTES;
  for (const wide of width === TILE_WIDTH ? [TILE_WIDTH] : [width, TILE_WIDTH]) {
    const bytes = await store.read(tilePath({ level, index, width: wide }), limit);
    if (bytes !== undefined && bytes.length >= width * HASH_BYTES) return bytes.subarray(0, width * HASH_BYTES);
  }
  return undefined;
}

function missing(store: LogStore, path: string): CofferError {
  return new CofferError('AUDIT_TILE_MISSING', `The log has no ${path}, or not all of it.`, {
    advice: 'Run coffer audit verify on it, which says what else is missing.',
    data: { path: store.place },
    loop: 'stop',
  });
}
