import { BUNDLE_LIMIT, bundleOf } from '../bundle.ts';
import type { LogStore } from '../store.ts';
import type { TreeEdge } from '../tree/edge.ts';
import { leafHash, nodeHash } from '../tree/merkle.ts';
import { partialTiles, TILE_WIDTH, type Tile, tilePath } from '../tree/tile.ts';
import { placeFiles } from './place-file.ts';

/** What a checkpoint covers, at one moment. */
export interface Snapshot {
  size: number;
  root: Buffer;
  /** The partial tiles of a tree of that size, by path. */
  partial: Map<string, Buffer>;
}

/** Full tiles that one record completed, and the bundle of entries under them. */
type Sealing = Map<string, Buffer>;

/** How many are written at once. */
const TOGETHER = 4;

/** The tree of what is durable, and its way to disk: full tiles once, when the journal still holds what is in them. */
export class GrowingTree {
  readonly #directory: string;
  readonly #edge: TreeEdge;
  /** Of all records; and of those before the last bundle, which is not full. */
  #head: Buffer;
  #bundleHead: Buffer;
  /** Of the last bundle. */
  #entries: Buffer[] = [];
  #sealings: Sealing[] = [];
  #sealed: number;

  /** `edge`: of the records that are in full tiles on disk; their number is a multiple of 256. */
  constructor(directory: string, edge: TreeEdge) {
    this.#directory = directory;
    this.#edge = edge;
    this.#sealed = edge.size;
    this.#bundleHead = edge.root();
    this.#head = this.#bundleHead;
  }

  get size(): number {
    return this.#edge.size;
  }

  /** A hash of all records in their order, which costs less than the root: the root where a bundle ends, and a chain of leaves from it. */
  get head(): Buffer {
    return this.#head;
  }

  /** Where the last bundle begins, which is not full. */
  get bundle(): { size: number; head: Buffer } {
    return { size: this.#edge.size - this.#entries.length, head: this.#bundleHead };
  }

  /** Records that are in full tiles on disk. */
  get sealed(): number {
    return this.#sealed;
  }

  /** Full tiles of records that are not on disk yet. */
  get backlog(): number {
    return this.#sealings.length;
  }

  append(entry: Buffer): void {
    this.#entries.push(entry);
    const leaf = leafHash(entry);
    const full = this.#edge.append(leaf);
    if (full.length === 0) {
      this.#head = nodeHash(this.#head, leaf);
      return;
    }
    this.#bundleHead = this.#edge.root();
    this.#head = this.#bundleHead;
    const sealing: Sealing = new Map();
    const index = this.#edge.size / TILE_WIDTH - 1;
    sealing.set(tilePath({ level: 'entries', index, width: TILE_WIDTH }), bundleOf(this.#entries));
    for (const tile of full) sealing.set(tilePath({ ...tile, width: TILE_WIDTH }), Buffer.concat(tile.hashes));
    this.#entries = [];
    this.#sealings.push(sealing);
  }

  /** Writes the full tiles that are not on disk yet. Rejects with the system's error, and goes on there the next time. */
  async seal(): Promise<void> {
    while (this.#sealings.length > 0) {
      const sealings = this.#sealings.slice(0, TOGETHER);
      const files = new Map(sealings.flatMap((sealing) => [...sealing]));
      await placeFiles(this.#directory, files);
      this.#sealings.splice(0, sealings.length);
      this.#sealed += sealings.length * TILE_WIDTH;
    }
  }

  /** Takes for written what is on disk as it should be, at the beginning of a run. */
  async settle(store: LogStore): Promise<void> {
    for (let sealing = this.#sealings[0]; sealing !== undefined; sealing = this.#sealings[0]) {
      for (const [path, bytes] of sealing) if (!(await store.read(path, BUNDLE_LIMIT))?.equals(bytes)) return;
      this.#sealings.shift();
      this.#sealed += TILE_WIDTH;
    }
  }

  /** The entries that are in no full tile; undefined: some are in full tiles that are not on disk yet. */
  unsealed(): readonly Buffer[] | undefined {
    return this.#sealings.length === 0 ? this.#entries : undefined;
  }

  root(): Buffer {
    return this.#edge.root();
  }

  snapshot(): Snapshot {
    const { size } = this.#edge;
    const levels = this.#edge.partial();
    const bytesOf = ({ level }: Tile) =>
      level === 'entries' ? bundleOf(this.#entries) : Buffer.concat(levels[level] ?? []);
    const partial = new Map(partialTiles(size).map((tile) => [tilePath(tile), bytesOf(tile)]));
    return { size, root: this.#edge.root(), partial };
  }
}
