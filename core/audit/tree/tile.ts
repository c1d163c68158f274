/**
 * The paths of C2SP tlog-tiles (https://c2sp.org/tlog-tiles). Counts are JavaScript numbers: a log of 2^53 records is out of
 * reach.
 */

/** Hashes in a full tile, and records in a full entry tile. */
export const TILE_WIDTH = 256;

/** A level of hashes, counted from the leaves, or the records themselves. */
export type TileLevel = number | 'entries';

export interface Tile {
  level: TileLevel;
  index: number;
  /** 1 to 256; less than 256: partial, at the right edge of the tree. */
  width: number;
}

/** `tile/0/x001/x234/067.p/8` and the like. */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${name}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

const PATH = /^tile\/(entries|0|[1-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** The tile that a path names; undefined: it names none, or names it otherwise than is allowed. */
export function tileOf(path: string): Tile | undefined {
  const [, level = '', name = '', partial] = PATH.exec(path) ?? [];
  if (level === '') return undefined;
  const tile = {
    level: level === 'entries' ? ('entries' as const) : Number(level),
    index: Number(name.replaceAll(/[x/]/g, '')),
    width: partial === undefined ? TILE_WIDTH : Number(partial),
  };
  return tile.width <= TILE_WIDTH && tilePath(tile) === path ? tile : undefined;
}

/** How many records each hash of a level stands for. */
export function span(level: number): number {
  return TILE_WIDTH ** level;
}

/** How wide that tile is in a tree of `size` records; 0: there is none. */
export function widthIn(size: number, level: TileLevel, index: number): number {
  const hashes = Math.floor(size / span(level === 'entries' ? 0 : level));
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** The tiles at the right edge of a tree of `size` records that are not full, those of entries last. */
export function partialTiles(size: number): Tile[] {
  const levels: TileLevel[] = [];
  for (let level = 0; span(level) <= size; level++) levels.push(level);
  return [...levels, 'entries' as const].flatMap((level) => {
    const index = Math.floor(size / span(level === 'entries' ? 1 : level + 1));
    const width = widthIn(size, level, index);
    return width === 0 ? [] : [{ level, index, width }];
  });
}
