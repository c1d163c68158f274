import { Turns } from '../../turns.ts';
import type { Repository } from '../repository.ts';
import { differingEntries, isTree, type Tree, type TreeEntry } from './tree.ts';
import { MOST_OF_TREE, WalkBudget } from './tree-cost.ts';

export interface Side {
  oid: string;
  /** As in TreeEntry. */
  mode: string;
}

/** Folders within folders beyond this are not read: a tree of a few kilobytes can nest them without an end. */
const DEEPEST = 128;

/** A path that differs: added without `before`, removed without `after`. */
export interface Change {
  /** From the root of the repository, with `/`. */
  path: string;
  before?: Side;
  after?: Side;
}

export interface ChangesOptions {
  /** Only this folder (or file) and what is below it; `''` is the root. */
  under?: string;
  /** Called for each name that git allows and we do not (core/git/trees/path.ts), or that lies too deep, and that only one side has. */
  refused?: (path: string, side: 'before' | 'after') => void;
  /** Ends it between two folders. */
  signal?: AbortSignal | undefined;
  /** Of what belongs to the same look; absent: its own. */
  budget?: WalkBudget;
}

/** Any two trees that were taken can be compared. */
export function comparisonBudget(): WalkBudget {
  return new WalkBudget(2 * MOST_OF_TREE);
}

/**
 * The files that differ between two trees (`null`: the tree of nothing). Folders that are equal on both sides are not read.
 * Symlinks and submodules are reported by their mode and never followed. The event loop gets its turn between two folders.
 * Throws `GIT_TREE_TOO_LARGE` where more differs than two trees may hold (tree-cost.ts); rejects with the reason of the signal.
 */
export async function* changesBetween(
  repository: Repository,
  from: string | null,
  to: string | null,
  options: ChangesOptions = {},
): AsyncGenerator<Change> {
  const under = options.under ?? '';
  const [before, after] = [await sideAt(repository, from, under), await sideAt(repository, to, under)];
  const turns = new Turns(options.signal);
  const comparison = new Comparison(repository, options.budget ?? comparisonBudget(), options.refused ?? (() => {}));
  for (const change of comparison.entry(under, before, after)) {
    if (change !== FOLDER) yield change;
    else await turns.next();
  }
}

async function sideAt(repository: Repository, tree: string | null, path: string): Promise<Side | undefined> {
  return tree === null ? undefined : repository.entryAt(tree, path);
}

/** Two folders were read. */
const FOLDER = Symbol('folder');
type Step = Change | typeof FOLDER;

class Comparison {
  readonly #repository: Repository;
  readonly #budget: WalkBudget;
  readonly #refused: NonNullable<ChangesOptions['refused']>;

  constructor(repository: Repository, budget: WalkBudget, refused: NonNullable<ChangesOptions['refused']>) {
    this.#repository = repository;
    this.#budget = budget;
    this.#refused = refused;
  }

  *entry(path: string, before: Side | undefined, after: Side | undefined, depth = 0): Generator<Step> {
    if (before?.oid === after?.oid && before?.mode === after?.mode) return;
    if (depth > DEEPEST) {
      if (before !== undefined) this.#refused(path, 'before');
      if (after !== undefined) this.#refused(path, 'after');
      return;
    }
    const trees = [before, after].map((side) => (side !== undefined && isTree(side) ? side.oid : undefined));
    if (trees.some((tree) => tree !== undefined)) yield* this.#trees(path, trees[0], trees[1], depth + 1);
    const [old, now] = [before, after].map((side) => (side === undefined || isTree(side) ? undefined : side));
    if (old !== undefined || now !== undefined) yield { path, ...sides(old, now) };
  }

  *#trees(path: string, before: string | undefined, after: string | undefined, depth: number): Generator<Step> {
    const a = before === undefined ? Buffer.alloc(0) : this.#repository.readTreeBytes(before);
    const b = after === undefined ? Buffer.alloc(0) : this.#repository.readTreeBytes(after);
    this.#budget.spend(0, a.length + b.length);
    const { removed, added } = differingEntries(a, b);
    this.#budget.spend(countOf(removed) + countOf(added), 0);
    yield FOLDER;
    const old = new Map(removed.entries.map((entry) => [entry.name, entry]));
    const { entries, refused } = added;
    for (const name of removed.refused) this.#refused(join(path, name), 'before');
    for (const name of refused) this.#refused(join(path, name), 'after');
    for (const entry of entries) {
      const was = old.get(entry.name);
      old.delete(entry.name);
      yield* this.entry(join(path, entry.name), was, entry, depth);
    }
    for (const gone of old.values()) yield* this.entry(join(path, gone.name), gone, undefined, depth);
  }
}

function countOf({ entries, refused }: Tree): number {
  return entries.length + refused.length;
}

function sides(before: Side | undefined, after: Side | undefined): Omit<Change, 'path'> {
  const side = ({ oid, mode }: Side | TreeEntry): Side => ({ oid, mode });
  return {
    ...(before === undefined ? {} : { before: side(before) }),
    ...(after === undefined ? {} : { after: side(after) }),
  };
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
