import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import type { LogStore } from '../store.ts';
import { EMPTY_ROOT, leafHash, nodeHash, rootOf } from './merkle.ts';
import { consistencyProof, inclusionProof, isConsistent, isIncluded } from './proofs.ts';
import { TreeEdge } from './right-edge.ts';
import { tileOf, tilePath, widthIn } from './tile.ts';
import { TileReader } from './tile-reader.ts';

/** Of github.com/google/certificate-transparency, merkletree/merkle_tree_test.cc: leaves, and the roots of the first n of them. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const SIZE = 66_200;
const LARGE = [65_535, 65_536, 65_537, 65_793, SIZE];

const leaves = Array.from({ length: SIZE + 1 }, (_, index) => leafHash(Buffer.from(String(index + 1))));
const roots = new Map<number, Buffer>();

describe('the tree', () => {
  test('has the roots that the authors of RFC 6962 publish', () => {
    const given = LEAVES.map((leaf) => leafHash(Buffer.from(leaf, 'hex')));
    const edge = new TreeEdge();
    assert.equal(edge.root().toString('hex'), EMPTY_ROOT.toString('hex'));
    for (const [index, root] of ROOTS.entries()) {
      edge.append(given[index] ?? assert.fail());
      assert.equal(edge.root().toString('hex'), root);
      assert.equal(rootOf(given.slice(0, index + 1)).toString('hex'), root);
    }
  });

  test('has the root of §2.1 for any number of leaves, across tiles of several levels', () => {
    const edge = new TreeEdge();
    for (let size = 1; size <= SIZE; size++) {
      edge.append(number(size));
      if (size < 300 || LARGE.includes(size)) {
        assert.equal(edge.root().toString('hex'), rootOfFirst(size).toString('hex'), String(size));
      }
    }
  });
});

describe('proofs from tiles', () => {
  const store = tilesOf(SIZE);
  const sizes = fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constantFrom(...LARGE));

  test('lead from every record to the root of every tree, and from no other record', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, some, flip) => {
        const index = some % size;
        const root = rootOfFirst(size);
        const proof = await inclusionProof(new TileReader(store, SIZE), index, size);
        assert.ok(isIncluded(number(index + 1), index, { size, root }, proof));
        assert.ok(!isIncluded(number(index + 2), index, { size, root }, proof));
        assert.ok(size === 1 || !isIncluded(number(index + 1), (index + 1) % size, { size, root }, proof));
        if (proof.length > 0) assert.ok(!isIncluded(number(index + 1), index, { size, root }, flipped(proof, flip)));
      }),
      { numRuns: 40 },
    );
  });

  test('show which tree is the beginning of which, and of no other', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), async (one, other, flip) => {
        const [older, newer] = [Math.min(one, other), Math.max(one, other)].map((size) => ({
          size,
          root: rootOfFirst(size),
        }));
        if (older === undefined || newer === undefined) return;
        const proof = await consistencyProof(new TileReader(store, SIZE), older.size, newer.size);
        assert.ok(isConsistent(older, newer, proof));
        assert.ok(!isConsistent({ ...older, root: nodeHash(older.root, older.root) }, newer, proof));
        assert.ok(!isConsistent(older, { ...newer, root: nodeHash(newer.root, newer.root) }, proof));
        if (proof.length > 0) assert.ok(!isConsistent(older, newer, flipped(proof, flip)));
      }),
      { numRuns: 40 },
    );
  });
});

test('tiles have the paths and the widths of the page', () => {
  assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067');
  assert.equal(tilePath({ level: 'entries', index: 0, width: 8 }), 'tile/entries/000.p/8');
  // "a tree of size 70,000 …", and one of 256.
  const widths = (size: number, level: number, count: number) =>
    Array.from({ length: count }, (_, index) => widthIn(size, level, index));
  assert.deepEqual(widths(70_000, 0, 275).slice(271), [256, 256, 112, 0]);
  assert.deepEqual(
    [widths(70_000, 1, 3), widths(70_000, 2, 2)],
    [
      [256, 17, 0],
      [1, 0],
    ],
  );
  assert.deepEqual(
    [widths(256, 0, 2), widths(256, 1, 2)],
    [
      [256, 0],
      [1, 0],
    ],
  );
  fc.assert(
    fc.property(fc.nat(63), fc.nat(), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
      assert.deepEqual(tileOf(tilePath({ level, index, width })), { level, index, width });
    }),
  );
  for (const path of [
    'tile/00/000',
    'tile/64/000',
    'tile/0/0',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/08',
    'tile/0/x000/001',
    'tile/0/1000',
    'tile/0/../../origin',
    'tile/0/000/',
    'tile/data/000',
    'journal',
  ])
    assert.equal(tileOf(path), undefined, path);
});

/** A leaf hash for each number from 1 on. */
function number(value: number): Buffer {
  return leaves[value - 1] ?? assert.fail();
}

/** By the definition, for the records 1 to `size`. */
function rootOfFirst(size: number): Buffer {
  const root = roots.get(size) ?? rootOf(leaves.slice(0, size));
  roots.set(size, root);
  return root;
}

function flipped(proof: readonly Buffer[], which: number): Buffer[] {
  return proof.map((hash, at) => (at === which % proof.length ? hash.map((byte) => byte ^ 1) : hash) as Buffer);
}

/** The tiles of a tree, in memory. */
function tilesOf(size: number): LogStore {
  const files = new Map<string, Buffer>();
  const edge = new TreeEdge();
  for (let at = 1; at <= size; at++) {
    for (const { level, index, hashes } of edge.append(number(at)))
      files.set(tilePath({ level, index, width: 256 }), Buffer.concat(hashes));
  }
  for (const [level, hashes] of edge.partial().entries()) {
    const index = Math.floor(size / 256 ** (level + 1));
    if (hashes.length > 0) files.set(tilePath({ level, index, width: hashes.length }), Buffer.concat(hashes));
  }
  return { place: 'memory', read: async (path) => files.get(path) };
}
