import { isCofferFolder } from '../../config/coffer-folder.ts';
import { Recent } from '../../git/recent.ts';
import type { Repository } from '../../git/repository.ts';
import { type Change, changesBetween, comparisonBudget, type Side } from '../../git/trees/changes.ts';
import { pathParts } from '../../git/trees/path.ts';
import { isTree, rawEntries } from '../../git/trees/tree.ts';
import { Turns } from '../../turns.ts';
import { type Aspects, aspectsOf, hasContent, noAspects } from './aspects.ts';

/** Files whose aspects are kept, in bytes: a commit's file is its child's file before the change. */
const KEPT = 32 * 1024 * 1024;
/** What an aspect takes beside its text: a file of a megabyte can say a hundred thousand things. */
const ASPECT = 384;

/**
 * What of a repository a source looks at: the files below its path, and `.coffer/` at the root with all that could be taken for
 * it. Files with names that git allows and we do not (core/git/trees/path.ts) are nobody's: nothing reads them.
 */
export class Scope {
  readonly #repository: Repository;
  readonly #path: string;
  readonly #turns: Turns;
  readonly #signal: AbortSignal | undefined;
  readonly #kept = new Recent<string, { aspects: Aspects; size: number }>({ sum: KEPT }, ({ size }) => size);

  /** `path`: of the source; `''` and `.` are the root. `signal`: ends what goes on; others get their turn between two files. */
  constructor(repository: Repository, path: string, signal?: AbortSignal) {
    this.#repository = repository;
    this.#turns = new Turns(signal);
    this.#signal = signal;
    this.#path = (pathParts(path) ?? []).join('/');
  }

  /** Between two files: the event loop may have its turn, or it is over. Rejects with the reason of the signal. */
  async turn(): Promise<void> {
    await this.#turns.next();
  }

  /** The files that differ between two trees; `null` is the tree of nothing. */
  async changes(from: string | null, to: string | null): Promise<Change[]> {
    if (from === to) return [];
    const found = new Map<string, Change>();
    const folders = this.#path === '' ? [''] : [this.#path, ...(await this.#cofferFolders(from, to))];
    const shared = { signal: this.#signal, budget: comparisonBudget() };
    for (const under of folders) {
      await this.turn();
      const walk = changesBetween(this.#repository, from, to, { under, ...shared });
      for await (const change of walk) found.set(change.path, change);
    }
    return [...found.values()];
  }

  /** The file at a path of a tree, if there is one in scope. */
  async fileAt(tree: string | null, path: string): Promise<Side | undefined> {
    if (tree === null) return undefined;
    const entry = await this.#repository.entryAt(tree, path);
    return entry === undefined || isTree(entry) ? undefined : { mode: entry.mode, oid: entry.oid };
  }

  async aspects(path: string, side: Side | undefined): Promise<Aspects> {
    if (side === undefined) return noAspects();
    if (!hasContent(path, side)) return aspectsOf(path, side, undefined);
    const key = `${side.mode}:${side.oid}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept.aspects;
    await this.turn();
    const bytes = await this.#repository.readBlobWithin(side.oid);
    const aspects = aspectsOf(path, side, bytes);
    this.#kept.put(key, { aspects, size: (bytes?.length ?? 0) + ASPECT * aspects.size });
    return aspects;
  }

  async #cofferFolders(from: string | null, to: string | null): Promise<Set<string>> {
    const found = new Set<string>();
    for (const tree of [from, to]) {
      if (tree === null) continue;
      for (const entry of rawEntries(this.#repository.readTreeBytes(tree))) {
        const name = entry.name.toString('utf8');
        if (isCofferFolder(name)) found.add(name);
      }
    }
    return found;
  }
}
