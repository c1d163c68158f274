import { Bug } from '../../errors.ts';
import { nodeHash } from './merkle.ts';
import type { TileReader } from './tile-reader.ts';

/** RFC 6962 §2.1.1: the hashes that lead from the record of that index (from 0) to the root of a tree of `size` records. */
export async function inclusionProof(tiles: TileReader, index: number, size: number): Promise<Buffer[]> {
  if (index < 0 || index >= size || size > tiles.size) throw new Bug('no such record in that tree');
  const proof: Buffer[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + largestBelow(to - from);
    const isLeft = index < middle;
    proof.push(isLeft ? await rangeRoot(tiles, middle, to) : await rangeRoot(tiles, from, middle));
    [from, to] = isLeft ? [from, middle] : [middle, to];
  }
  return proof.reverse();
}

/** RFC 6962 §2.1.2: what shows that the tree of `older` records is the beginning of that of `newer`. */
export async function consistencyProof(tiles: TileReader, older: number, newer: number): Promise<Buffer[]> {
  if (older < 1 || older > newer || newer > tiles.size) throw new Bug('no such trees');
  const proof: Buffer[] = [];
  let [from, to] = [0, newer];
  // Whether the part that is looked at is all of the older tree: then its root is known.
  let isWhole = true;
  while (older < to) {
    const middle = from + largestBelow(to - from);
    if (older <= middle) {
      proof.push(await rangeRoot(tiles, middle, to));
      to = middle;
    } else {
      proof.push(await rangeRoot(tiles, from, middle));
      from = middle;
      isWhole = false;
    }
  }
  if (!isWhole) proof.push(await rangeRoot(tiles, from, to));
  return proof.reverse();
}

/** RFC 9162 §2.1.3.2 (the tree is that of RFC 6962, which gives no algorithm). */
export function isIncluded(
  leaf: Buffer,
  index: number,
  { size, root }: { size: number; root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (index < 0 || index >= size) return false;
  let [node, last] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hash.equals(root);
}

/** RFC 9162 §2.1.4.2: whether the older tree is the beginning of the newer one. The empty tree begins every other. */
export function isConsistent(
  older: { size: number; root: Buffer },
  newer: { size: number; root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (older.size > newer.size) return false;
  if (older.size === newer.size) return proof.length === 0 && older.root.equals(newer.root);
  if (older.size === 0) return proof.length === 0;
  const isPerfect = Number.isInteger(Math.log2(older.size));
  const [first, ...rest] = isPerfect ? [older.root, ...proof] : proof;
  if (first === undefined) return false;
  let [node, last] = [older.size - 1, newer.size - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  let [was, is] = [first, first];
  for (const hash of rest) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      [was, is] = [nodeHash(hash, was), nodeHash(hash, is)];
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      is = nodeHash(is, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && was.equals(older.root) && is.equals(newer.root);
}

/** The root of the records `from` to `to`, where `from` is where a subtree of that size may begin. */
async function rangeRoot(tiles: TileReader, from: number, to: number): Promise<Buffer> {
  const count = to - from;
  const height = Math.log2(count);
  if (Number.isInteger(height)) return await tiles.subtree(height, from / count);
  const middle = from + largestBelow(count);
  return nodeHash(await rangeRoot(tiles, from, middle), await rangeRoot(tiles, middle, to));
}

/** The largest power of two that is smaller; `count` is at least 2. */
function largestBelow(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}

const isOdd = (value: number) => value % 2 === 1;
const half = (value: number) => Math.floor(value / 2);
