import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../files/system-error.ts';
import { DirectoryStore } from '../directory-store.ts';
import { ENTRY_TILE_LIMIT } from '../entry-tile.ts';
import { type Checkpoint, parseCheckpoint } from '../note/checkpoint.ts';
import { NOTE_LIMIT } from '../note/signed-note.ts';
import type { AuditRecord } from '../record.ts';
import { consistencyProof, isConsistent } from '../tree/proofs.ts';
import { TreeEdge } from '../tree/right-edge.ts';
import { TILE_WIDTH } from '../tree/tile.ts';
import { TileReader } from '../tree/tile-reader.ts';
import { removeTemporaryFiles } from './atomic-files.ts';
import { CHECKPOINT, type Departed } from './checkpointer.ts';
import { damaged, rolledBack } from './errors.ts';
import { GrowingTree } from './growing-tree.ts';
import { JOURNAL, Journal } from './journal.ts';
import type { JournalMark } from './journal-mark.ts';
import { type JournalLine, readJournal } from './read-journal.ts';

export interface Recovered {
  tree: GrowingTree;
  journal: Journal;
  /** Records before the first of the journal. */
  journalBegin: number;
  /** The checkpoint that was found: the tree goes on from it. Who signed it is not known yet. */
  found: string | undefined;
  /** Of those that are remembered elsewhere, what the tree does not go on from. Who signed them is not known yet. */
  departed: Departed[];
  /** What the log has to say of it. */
  owed: AuditRecord[];
}

/**
 * Where an earlier run ended. The journal is what counts: each record that was acknowledged is in it or in a full tile, and what is
 * missing of the tiles is written anew from it. It is held against the newest checkpoint, and against those that are remembered
 * elsewhere, so that nothing is signed that does not go on from what was signed before. Behind what nobody vouches for, neither that
 * checkpoint nor a mark of the journal, a record has to say so before anything else follows.
 *
 * Throws CofferError `AUDIT_DAMAGED`, `AUDIT_ROLLED_BACK`, `AUDIT_CHECKPOINT_INVALID`; rejects with the system's error.
 */
export async function recover(
  directory: string,
  origin: string,
  known: readonly string[],
  mark: JournalMark,
): Promise<Recovered> {
  await removeTemporaryFiles(directory);
  if (!existsSync(join(directory, JOURNAL))) throw damaged(directory, 'its journal was removed');
  const store = new DirectoryStore(directory);
  const found = (await store.read(CHECKPOINT, NOTE_LIMIT))?.toString();
  const newest = found === undefined ? undefined : parseCheckpoint(found);
  if (newest !== undefined && newest.origin !== origin)
    throw damaged(directory, `a checkpoint of it is of another log, ${newest.origin}`);
  const claims = known.map((note) => ({ note, checkpoint: parseCheckpoint(note) }));
  const own = claims.filter(({ checkpoint }) => checkpoint.origin === origin);
  const checkpoints = [...(newest === undefined ? [] : [newest]), ...own.map(({ checkpoint }) => checkpoint)];

  await mark.find();
  const replayed = await replay(directory, store, { checkpoints, signed: newest?.size ?? 0, mark });
  const { tree, roots, journalBegin, size, torn } = replayed;
  const departure = newest === undefined ? undefined : departureOf(newest, tree.size, roots);
  if (departure !== undefined) throw rolledBack(directory, departure);
  const departed = own.flatMap(({ note, checkpoint }) => {
    const how = departureOf(checkpoint, tree.size, roots);
    return how === undefined ? [] : [{ note, how }];
  });
  const journal = await Journal.open(directory, size);
  const owed: AuditRecord[] = [];
  const doubtful = tree.size - replayed.vouched;
  if (doubtful > 0 && mark.isWanted) owed.push(doubted(tree.size, doubtful));
  if (torn > 0)
    owed.push({ event: 'log.recovered', message: `cut off ${torn} bytes of a write that was never finished` });
  return { tree, journal, journalBegin, found, departed, owed };
}

/** `count` of a `log.recovered`: the records right before it, which count for nothing where it matters who wrote them. */
function doubted(size: number, count: number): AuditRecord {
  const message = `nobody vouches for the records ${size - count + 1} to ${size}: they were found so, neither signed nor marked`;
  return { event: 'log.recovered', count, message };
}

interface Known {
  checkpoints: readonly Checkpoint[];
  /** Records that the checkpoint of the log covers. */
  signed: number;
  mark: JournalMark;
}

interface Replayed {
  tree: GrowingTree;
  journalBegin: number;
  /** Bytes of the journal that count, and those after them that do not. */
  size: number;
  torn: number;
  /** Records that a checkpoint or a mark covers. */
  vouched: number;
  /** Of the trees that checkpoints tell of, by size. */
  roots: ReadonlyMap<number, Buffer>;
}

async function replay(
  directory: string,
  store: DirectoryStore,
  { checkpoints, signed, mark }: Known,
): Promise<Replayed> {
  const sizes = new Set(checkpoints.map(({ size }) => size));
  const roots = new Map<number, Buffer>();
  const lines = readJournal(join(directory, JOURNAL));
  let next = await lines.next();
  const journalBegin = next.done === true ? 0 : next.value.line.sequence - 1;
  if (journalBegin % TILE_WIDTH !== 0) throw damaged(directory, 'its journal does not begin where a tile ends');
  if (next.done === true && (await store.read('tile/entries/000', ENTRY_TILE_LIMIT)) !== undefined)
    throw damaged(directory, 'its journal is empty, and it has tiles');
  const tree = await treeOf(directory, store, journalBegin, checkpoints, roots);
  let [size, vouched, group] = [0, signed, [] as JournalLine[]];
  for (; next.done !== true; next = await lines.next()) {
    if (group.length > 0 && next.value.mark === undefined)
      throw damaged(directory, 'a group in its journal has no end');
    group.push(next.value);
    if (next.value.mark === '') continue;
    const isVouched = isOurs(group, tree, mark);
    if (next.value.mark !== undefined && mark.isKnown && !isVouched && tree.size + group.length > signed)
      throw damaged(directory, `nobody who has the identity wrote what ends at byte ${next.value.end} of its journal`);
    for (const { entry } of group) {
      tree.append(entry);
      if (sizes.has(tree.size)) roots.set(tree.size, tree.root());
    }
    if (isVouched) vouched = Math.max(vouched, tree.size);
    size = next.value.end;
    group = [];
  }
  if (size === 0 && journalBegin > 0) throw damaged(directory, 'its journal has nothing that is whole');
  await tree.settle(store);
  // A group without its end was never acknowledged.
  return { tree, journalBegin, size, torn: next.value.size + next.value.torn - size, vouched, roots };
}

function isOurs(group: readonly JournalLine[], tree: GrowingTree, mark: JournalMark): boolean {
  const text = group.at(-1)?.mark;
  const entries = group.map(({ entry }) => entry);
  return text !== undefined && mark.isOurs(text, entries, tree);
}

/** The tree before the journal, from its tiles. Learns the roots of checkpoints that are older. */
async function treeOf(
  directory: string,
  store: DirectoryStore,
  size: number,
  checkpoints: readonly Checkpoint[],
  roots: Map<number, Buffer>,
): Promise<GrowingTree> {
  const tiles = new TileReader(store, size);
  const edge = TreeEdge.from(size, await tiles.edge(size));
  roots.set(size, edge.root());
  for (const older of checkpoints.filter((checkpoint) => checkpoint.size < size)) {
    const proof = older.size === 0 ? [] : await consistencyProof(tiles, older.size, size);
    if (isConsistent(older, { size, root: edge.root() }, proof)) roots.set(older.size, older.root);
  }
  return new GrowingTree(directory, edge);
}

/** How a tree does not go on from a checkpoint, in plain words; undefined: it does. A size may be told of twice, with two roots. */
function departureOf({ size, root }: Checkpoint, now: number, roots: ReadonlyMap<number, Buffer>): string | undefined {
  if (size > now) return `it had ${size} records, and has ${now}`;
  return roots.get(size)?.equals(root) === true ? undefined : `its first ${size} records are others`;
}

/** Holds the log's name, for as long as it is one. */
export const ORIGIN_FILE = 'origin';

/** The log's name as an earlier run wrote it; undefined: there is none. */
export async function readOrigin(directory: string): Promise<string | undefined> {
  try {
    return (await readFile(join(directory, ORIGIN_FILE), 'utf8')).trimEnd();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
