import { EMPTY_ROOT, nodeHash, rootOf } from './merkle.ts';
import { span, TILE_WIDTH } from './tile.ts';

/** A full tile of hashes. */
export interface FullTile {
  level: number;
  index: number;
  hashes: readonly Buffer[];
  /** Of the subtree that it is. */
  root: Buffer;
}

/** The tiles at the right edge of a tree that are not full yet: all that it takes to go on, and to know its root. */
export class TreeEdge {
  #size = 0;
  /** For each level of tiles, the hashes of its last tile: fewer than 256. */
  readonly #levels: Buffer[][] = [];

  get size(): number {
    return this.#size;
  }

  /** Goes on where a tree of `size` records ended, whose partial tiles hold these hashes, level by level. */
  static from(size: number, levels: readonly (readonly Buffer[])[]): TreeEdge {
    const edge = new TreeEdge();
    edge.#size = size;
    edge.#levels.push(...levels.map((hashes) => [...hashes]));
    return edge;
  }

  /** Takes one more record, and returns the tiles that it fills, from the leaves up. */
  append(leaf: Buffer): FullTile[] {
    this.#size++;
    const full: FullTile[] = [];
    let hash = leaf;
    for (let level = 0; ; level++) {
      const hashes = this.#levels[level] ?? [];
      this.#levels[level] = hashes;
      hashes.push(hash);
      if (hashes.length < TILE_WIDTH) return full;
      hash = rootOf(hashes);
      full.push({ level, index: this.#size / span(level + 1) - 1, hashes, root: hash });
      this.#levels[level] = [];
    }
  }

  /** The partial tiles, level by level; a level may be empty. */
  partial(): readonly (readonly Buffer[])[] {
    return this.#levels.map((hashes) => [...hashes]);
  }

  root(): Buffer {
    return rootOfEdge(this.#levels);
  }
}

/** The root of a tree from its partial tiles: they hold the roots of the perfect trees that it falls into, the largest last. */
export function rootOfEdge(levels: readonly (readonly Buffer[])[]): Buffer {
  let right: Buffer | undefined;
  for (const hashes of levels) {
    // Within a level, from the right: as many as the lowest bit of what is left says.
    for (let left = hashes.length; left > 0; ) {
      const count = left & -left;
      const tree = rootOf(hashes.slice(left - count, left));
      right = right === undefined ? tree : nodeHash(tree, right);
      left -= count;
    }
  }
  return right ?? EMPTY_ROOT;
}
