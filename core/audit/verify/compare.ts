import type { LogStore } from '../store.ts';
import { TILE_WIDTH, widthIn } from '../tree/tile.ts';
import { type Finding, plural, runs } from './finding.ts';
import type { Signed } from './locate.ts';
import { readEntryTile } from './tile-pass.ts';

/** A record of what is there, that was not signed there. */
interface Stray {
  /** Where it stands, from 0; and its hash. */
  at: number;
  hash: string;
}

/** Says record by record what was done, from the leaves that were signed and those that are there. */
export async function compareRecords(store: LogStore, size: number, { leaves, unknown }: Signed): Promise<Finding[]> {
  const missing = new Map<string, number>();
  const strays: Stray[] = [];
  for (const [index, signed] of [...leaves].sort(([a], [b]) => a - b)) {
    const width = widthIn(size, 0, index);
    const there = (await readEntryTile(store, index, width))?.leaves.map((leaf) => leaf.toString('hex'));
    // What is not there at all is told of where entry tiles are counted.
    if (there === undefined) continue;
    const wanted = signed.map((leaf) => leaf.toString('hex'));
    const [signedHere, isThere] = [new Set(wanted), new Set(there)];
    for (const [at, hash] of wanted.entries()) if (!isThere.has(hash)) missing.set(hash, index * TILE_WIDTH + at);
    for (const [at, hash] of there.entries()) {
      if (!signedHere.has(hash) || wanted[at] !== hash) strays.push({ at: index * TILE_WIDTH + at, hash });
    }
  }
  return [...told(missing, strays, leaves), ...unknown.map((tile) => wholeTile(tile, size))];
}

/** Of records that are not where they were signed: those that are nowhere, those that were never signed, and those that moved. */
function told(missing: Map<string, number>, strays: readonly Stray[], leaves: Signed['leaves']): Finding[] {
  const signed = new Set([...leaves.values()].flatMap((tile) => tile.map((leaf) => leaf.toString('hex'))));
  for (const { hash } of strays) missing.delete(hash);
  const [gone, foreign] = [new Set(missing.values()), strays.filter(({ hash }) => !signed.has(hash))];
  const edited = foreign.map(({ at }) => at).filter((at) => gone.delete(at));
  const inserted = foreign.map(({ at }) => at).filter((at) => !edited.includes(at));
  const shifted = gone.size > 0 || inserted.length > 0;
  const moved = shifted ? [] : strays.filter(({ hash }) => signed.has(hash)).map(({ at }) => at);
  return [
    ...runs(edited).map(({ from, to }) => finding('edited', from, to, 'was edited', 'were edited')),
    ...runs([...gone]).map(({ from, to }) => finding('deleted', from, to, 'was deleted', 'were deleted')),
    ...runs(inserted).map(({ from, to }) => finding('inserted', from, to, 'was never signed', 'were never signed')),
    ...runs(moved).map(({ from, to }) =>
      finding('reordered', from, to, 'is not in its place', 'were put into another order'),
    ),
  ];
}

function finding(kind: Finding['kind'], from: number, to: number, one: string, many: string): Finding {
  return { kind, from, to, message: `${plural(from, to)} ${from === to ? one : many}` };
}

function wholeTile(tile: number, size: number): Finding {
  const [from, to] = [tile * TILE_WIDTH + 1, Math.min((tile + 1) * TILE_WIDTH, size)];
  return { kind: 'edited', from, to, message: `one or more of ${plural(from, to)} were changed, and their hashes too` };
}
