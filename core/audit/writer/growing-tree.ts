import { ENTRY_TILE_LIMIT, entryTileOf } from '../entry-tile.ts';
import type { LogStore } from '../store.ts';
import { leafHash, nodeHash } from '../tree/merkle.ts';
import type { TreeEdge } from '../tree/right-edge.ts';
import { partialTiles, TILE_WIDTH, type Tile, tilePath } from '../tree/tile.ts';
import { placeFiles } from './atomic-files.ts';

/** What a checkpoint covers, at one moment. */
export interface Snapshot {
  size: number;
  root: Buffer;
  /** The partial tiles of a tree of that size, by path. */
  partial: Map<string, Buffer>;
}

/** Full tiles that one record completed, and the entry tile under them. */
type FullTiles = Map<string, Buffer>;

/** How many are written at once. */
const TOGETHER = 4;

/** The tree of what is durable, and its way to disk: full tiles once, when the journal still holds what is in them. */
export class GrowingTree {
  readonly #directory: string;
  readonly #edge: TreeEdge;
  /** Of all records; and of those before the last entry tile, which is not full. */
  #head: Buffer;
  #tileHead: Buffer;
  /** Of the last entry tile. */
  #entries: Buffer[] = [];
  #waiting: FullTiles[] = [];
  #tiled: number;

  /** `edge`: of the records that are in full tiles on disk; their number is a multiple of 256. */
  constructor(directory: string, edge: TreeEdge) {
    this.#directory = directory;
    this.#edge = edge;
    this.#tiled = edge.size;
    this.#tileHead = edge.root();
    this.#head = this.#tileHead;
  }

  get size(): number {
    return this.#edge.size;
  }

  /** A hash of all records in their order, which costs less than the root: the root where a tile ends, and a chain of leaves from it. */
  get head(): Buffer {
    return this.#head;
  }

  /** Where the last entry tile begins, which is not full. */
  get lastTile(): { size: number; head: Buffer } {
    return { size: this.#edge.size - this.#entries.length, head: this.#tileHead };
  }

  /** Records that are in full tiles on disk. */
  get tiled(): number {
    return this.#tiled;
  }

  /** Full tiles of records that are not on disk yet. */
  get backlog(): number {
    return this.#waiting.length;
  }

  append(entry: Buffer): void {
    this.#entries.push(entry);
    const leaf = leafHash(entry);
    const full = this.#edge.append(leaf);
    if (full.length === 0) {
      this.#head = nodeHash(this.#head, leaf);
      return;
    }
    this.#tileHead = this.#edge.root();
    this.#head = this.#tileHead;
    const tiles: FullTiles = new Map();
    const index = this.#edge.size / TILE_WIDTH - 1;
    tiles.set(tilePath({ level: 'entries', index, width: TILE_WIDTH }), entryTileOf(this.#entries));
    for (const tile of full) tiles.set(tilePath({ ...tile, width: TILE_WIDTH }), Buffer.concat(tile.hashes));
    this.#entries = [];
    this.#waiting.push(tiles);
  }

  /** Writes the full tiles that are not on disk yet. Rejects with the system's error, and goes on there the next time. */
  async writeTiles(): Promise<void> {
    while (this.#waiting.length > 0) {
      const some = this.#waiting.slice(0, TOGETHER);
      const files = new Map(some.flatMap((tiles) => [...tiles]));
      await placeFiles(this.#directory, files);
      this.#waiting.splice(0, some.length);
      this.#tiled += some.length * TILE_WIDTH;
    }
  }

  /** Takes for written what is on disk as it should be, at the beginning of a run. */
  async settle(store: LogStore): Promise<void> {
    for (let tiles = this.#waiting[0]; tiles !== undefined; tiles = this.#waiting[0]) {
      for (const [path, bytes] of tiles) if (!(await store.read(path, ENTRY_TILE_LIMIT))?.equals(bytes)) return;
      this.#waiting.shift();
      this.#tiled += TILE_WIDTH;
    }
  }

  /** The entries that are in no full tile; undefined: some are in full tiles that are not on disk yet. */
  untiled(): readonly Buffer[] | undefined {
    return this.#waiting.length === 0 ? this.#entries : undefined;
  }

  root(): Buffer {
    return this.#edge.root();
  }

  snapshot(): Snapshot {
    const { size } = this.#edge;
    const levels = this.#edge.partial();
    const bytesOf = ({ level }: Tile) =>
      level === 'entries' ? entryTileOf(this.#entries) : Buffer.concat(levels[level] ?? []);
    const partial = new Map(partialTiles(size).map((tile) => [tilePath(tile), bytesOf(tile)]));
    return { size, root: this.#edge.root(), partial };
  }
}
