import type { LogStore } from '../store.ts';
import { hashesIn, rootOf } from '../tree/merkle.ts';
import { rootOfEdge } from '../tree/right-edge.ts';
import { span, TILE_WIDTH, widthIn } from '../tree/tile.ts';
import { readTile } from '../tree/tile-reader.ts';
import { readEntryTile, type TilePass } from './tile-pass.ts';

/** What was signed, where it differs from what is there. */
export interface Signed {
  /** Leaf hashes of whole tiles, by the tile's index. */
  leaves: Map<number, Buffer[]>;
  /** Tiles whose hashes were changed together with their records: which record it is cannot be said. */
  unknown: number[];
}

/**
 * Goes down from a signed root to the leaves that are not as they were signed, by the hashes that are stored, each of which counts only
 * when the one above it vouches for it. Undefined: those at the right edge were changed too, and nothing leads down.
 */
export async function signedLeaves(
  store: LogStore,
  { above }: TilePass,
  { size, root }: { size: number; root: Buffer },
): Promise<Signed | undefined> {
  const edge = await signedEdge(store, above, size, root);
  if (edge === undefined) return undefined;
  const signed: Signed = { leaves: new Map(), unknown: [] };

  const descend = async (level: number, index: number, hashes: readonly Buffer[]): Promise<void> => {
    if (level === 0) {
      signed.leaves.set(index, [...hashes]);
      return;
    }
    for (const [at, hash] of hashes.entries()) {
      const child = index * TILE_WIDTH + at;
      if (above[level - 1]?.[child]?.equals(hash) === true) continue;
      const stored = await readTile(store, { level: level - 1, index: child, width: TILE_WIDTH });
      const below = stored === undefined ? undefined : hashesIn(stored);
      if (below !== undefined && rootOf(below).equals(hash)) await descend(level - 1, child, below);
      else for (const tile of tilesUnder(level - 1, child)) signed.unknown.push(tile);
    }
  };
  // At most 7 levels: a log of 2^53 records has no more.
  for (const [level, hashes] of edge.entries()) {
    if (hashes.length > 0) await descend(level, Math.floor(size / span(level + 1)), hashes);
  }
  return signed;
}

function tilesUnder(level: number, index: number): number[] {
  const count = span(level);
  return Array.from({ length: count }, (_, at) => index * count + at);
}

/**
 * The partial tiles that give the signed root. Each is taken as it is stored or as it follows from what is below it, whichever fits:
 * an attacker may have changed any of them.
 */
async function signedEdge(
  store: LogStore,
  above: readonly (readonly Buffer[])[],
  size: number,
  root: Buffer,
): Promise<Buffer[][] | undefined> {
  const choices: Buffer[][][] = [];
  for (let level = 0; span(level) <= size; level++) {
    const index = Math.floor(size / span(level + 1));
    const width = widthIn(size, level, index);
    if (width === 0) choices.push([[]]);
    else choices.push(await candidates(store, above, { level, index, width }));
  }
  return combinations(choices).find((levels) => rootOfEdge(levels).equals(root));
}

async function candidates(
  store: LogStore,
  above: readonly (readonly Buffer[])[],
  tile: { level: number; index: number; width: number },
): Promise<Buffer[][]> {
  const { level, index, width } = tile;
  const stored = await readTile(store, tile);
  const follows =
    level === 0
      ? (await readEntryTile(store, index, width))?.leaves
      : above[level - 1]?.slice(index * TILE_WIDTH, index * TILE_WIDTH + width);
  const both = [stored === undefined ? [] : hashesIn(stored), follows ?? []];
  return both.filter((hashes) => hashes.length === width);
}

/** One of each: at most 2^7. */
function combinations<T>(choices: readonly (readonly T[])[]): T[][] {
  return choices.reduce<T[][]>((all, some) => all.flatMap((left) => some.map((one) => [...left, one])), [[]]);
}
