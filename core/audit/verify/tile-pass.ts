import { lineOf } from '../canonical.ts';
import { ENTRY_TILE_LIMIT, leadingEntries } from '../entry-tile.ts';
import type { AuditLine } from '../record.ts';
import type { LogStore } from '../store.ts';
import { HASH_BYTES, hashesIn, leafHash } from '../tree/merkle.ts';
import { rootOfEdge, TreeEdge } from '../tree/right-edge.ts';
import { span, TILE_WIDTH, tilePath, widthIn } from '../tree/tile.ts';
import { readTile } from '../tree/tile-reader.ts';
import { LogRecords, type WantedRecords } from './log-records.ts';
import { misframedEntries } from './misframed.ts';

/** What one reading of all records, in order, has found. */
export interface TilePass {
  /** The roots of the trees of these sizes, as they follow from what is there. Where something is missing: none. */
  roots: Map<number, Buffer>;
  /** `above[L]`: the roots of the full tiles of level L, as they follow from what is there. They are the hashes of level L + 1. */
  above: Buffer[][];
  /** Records whose text is missing before the first that is there. */
  prunedBefore: number;
  /** Entry tiles that are not there, by index. */
  missing: Set<number>;
  /** Tiles of leaf hashes that are not those of their records, by index. */
  different: Set<number>;
  /** What records say of the log itself: their count of forgotten records, and checkpoints of other logs. */
  forgotten: number;
  witnessed: AuditLine[];
  /** Records that bear another number than their place, by index; the first of them. */
  misnumbered: number[];
  /** Records after which their entry tile goes on and should not. */
  overfull: number[];
  /** Entry tiles whose lengths do not add up, by index. */
  misframed: number[];
}

/** The records of a tile as they are there. */
export interface EntryTile {
  entries: Buffer[];
  leaves: Buffer[];
  /** Whether its lengths add up; else an entry may be none. */
  isFramed: boolean;
}

/** Of one kind of mistake, that are remembered. */
const MOST = 100_000;
/** Calls back so often, in records. */
const PROGRESS = 64 * TILE_WIDTH;

/** Reads all records of a tree of `size`, in memory that does not grow with them but by 32 bytes for 256. */
export async function passOver(
  store: LogStore,
  size: number,
  sizes: ReadonlySet<number>,
  onProgress: (records: number) => void,
  wanted?: WantedRecords,
): Promise<TilePass> {
  const pass: TilePass = {
    roots: new Map(),
    above: [],
    prunedBefore: 0,
    missing: new Set(),
    different: new Set(),
    forgotten: 0,
    witnessed: [],
    misnumbered: [],
    overfull: [],
    misframed: [],
  };
  const records = new LogRecords(wanted);
  // Undefined once it is not known how to go on.
  let edge: TreeEdge | undefined = new TreeEdge();
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const width = widthIn(size, 0, index);
    const [tile, stored] = await Promise.all([
      readEntryTile(store, index, width),
      readTile(store, { level: 0, index, width }),
    ]);
    if (tile === undefined) pass.missing.add(index);
    else noteRecords(pass, records, tile, index, width, stored);
    if (tile === undefined && pass.prunedBefore === index * TILE_WIDTH) pass.prunedBefore += width;
    const leaves = leavesOf(tile, stored, width);
    edge = leaves === undefined ? undefined : edge;
    if (edge !== undefined && leaves !== undefined) takeLeaves(pass, edge, leaves, sizes);
    if (index % (PROGRESS / TILE_WIDTH) === 0) onProgress(index * TILE_WIDTH);
  }
  onProgress(size);
  pass.witnessed = records.witnessed;
  pass.forgotten = records.end();
  return pass;
}

/** What an entry tile holds, whole or not; undefined: there is none. */
export async function readEntryTile(store: LogStore, index: number, width: number): Promise<EntryTile | undefined> {
  for (const wide of width === TILE_WIDTH ? [width] : [width, TILE_WIDTH]) {
    const bytes = await store.read(tilePath({ level: 'entries', index, width: wide }), ENTRY_TILE_LIMIT);
    if (bytes === undefined) continue;
    const { entries, isWhole } = leadingEntries(bytes);
    const there = isWhole ? entries : misframedEntries(bytes);
    const own = wide === width ? there : there.slice(0, width);
    return { entries: own, leaves: own.map(leafHash), isFramed: isWhole };
  }
  return undefined;
}

/**
 * The root of the tree of the first `size` records, as it follows from what a pass over a larger one found; undefined: something of it is
 * missing.
 */
export async function rootAt(store: LogStore, pass: TilePass, end: number, size: number): Promise<Buffer | undefined> {
  const [index, width] = [Math.floor(size / TILE_WIDTH), size % TILE_WIDTH];
  const levels = [width === 0 ? [] : (await leavesAt(store, index, widthIn(end, 0, index)))?.slice(0, width)];
  for (let level = 1; span(level) <= size; level++) {
    const hashes = pass.above[level - 1] ?? [];
    const count = Math.floor(size / span(level));
    levels.push(hashes.length < count ? undefined : hashes.slice(count - (count % TILE_WIDTH), count));
  }
  const whole = levels.filter((hashes) => hashes !== undefined);
  return whole.length < levels.length ? undefined : rootOfEdge(whole);
}

async function leavesAt(store: LogStore, index: number, width: number): Promise<Buffer[] | undefined> {
  return leavesOf(await readEntryTile(store, index, width), await readTile(store, { level: 0, index, width }), width);
}

/** As many leaves as the tile should have: where records are missing, hashes that no record has; undefined: nothing of it is there. */
function leavesOf(tile: EntryTile | undefined, stored: Buffer | undefined, width: number): Buffer[] | undefined {
  if (tile === undefined) return stored && hashesIn(stored);
  return Array.from({ length: width }, (_, at) => tile.leaves[at] ?? NO_RECORD);
}

const NO_RECORD = Buffer.alloc(HASH_BYTES);

function takeLeaves(pass: TilePass, edge: TreeEdge, leaves: readonly Buffer[], sizes: ReadonlySet<number>): void {
  for (const leaf of leaves) {
    for (const { level, root } of edge.append(leaf)) keepAbove(pass.above, level, root);
    if (sizes.has(edge.size)) pass.roots.set(edge.size, edge.root());
  }
}

/** A full tile is one hash of the level above. */
function keepAbove(above: Buffer[][], level: number, root: Buffer): void {
  const roots = above[level] ?? [];
  above[level] = roots;
  roots.push(root);
}

function noteRecords(
  pass: TilePass,
  records: LogRecords,
  { entries, leaves, isFramed }: EntryTile,
  index: number,
  width: number,
  stored: Buffer | undefined,
): void {
  if (!isFramed) pass.misframed.push(index);
  if (entries.length > width) pass.overfull.push(index * TILE_WIDTH + width);
  if (stored === undefined || !Buffer.concat(leaves.slice(0, width)).equals(stored)) {
    pass.different.add(index);
  }
  for (const [at, entry] of entries.slice(0, width).entries()) {
    const number = index * TILE_WIDTH + at + 1;
    if (!entry.includes(`"sequence":${number},`) && pass.misnumbered.length < MOST) pass.misnumbered.push(number - 1);
    const line = records.mayTake(entry) ? lineOf(entry) : undefined;
    // What bears another number than its place counts for nothing: it could stand where nobody doubts it.
    if (line?.sequence === number) records.take(line);
  }
}
