import { Turns } from '../../turns.ts';
import type { Repository } from '../repository.ts';
import { isTree, rawEntries } from './tree.ts';
import { costOf, MOST_OF_TREE, treeTooLarge } from './tree-cost.ts';

/** Trees whose weight is kept; where there are more, all are forgotten. */
const KEPT = 50_000;
const OID_BYTES = 20;

interface Folder {
  oid: string;
  /** Without what is below its folders. */
  own: number;
  /** As often as they are named. */
  folders: readonly string[];
  /** Of these, so many are weighed. */
  weighed: number;
}

/**
 * What trees cost those who walk all of them, each file and folder as often as it is named. A tree is read once however often it
 * is named, and its weight is kept by its id: of a commit that changes little, little is read.
 */
export class TreeWeights {
  readonly #weights = new Map<string, number>();

  /**
   * Makes sure that what stands at these paths below a tree can be walked as a whole: what is accepted step by step, each small,
   * would else be too large when all of it is read again. Throws `GIT_TREE_TOO_LARGE`; rejects with the reason of the signal.
   */
  async assertWalkable(
    repository: Repository,
    tree: string,
    paths: readonly string[],
    signal?: AbortSignal,
  ): Promise<void> {
    const turns = new Turns(signal);
    let weight = 0;
    for (const path of paths) {
      const entry = await repository.entryAt(tree, path);
      if (entry !== undefined && isTree(entry)) weight += await this.#weigh(repository, entry.oid, turns);
    }
    const isTooLarge = weight > MOST_OF_TREE;
    if (isTooLarge || this.#weights.size > KEPT) this.#weights.clear();
    if (isTooLarge) throw treeTooLarge(MOST_OF_TREE);
  }

  /** What is too heavy anyway is not weighed to its end. */
  async #weigh(repository: Repository, root: string, turns: Turns): Promise<number> {
    const stack: Folder[] = [];
    let read = 0;
    const enter = (oid: string): void => {
      const folder = folderOf(repository, oid);
      stack.push(folder);
      read += folder.own;
    };
    if (!this.#weights.has(root)) enter(root);
    for (let top = stack.at(-1); top !== undefined && read <= MOST_OF_TREE; top = stack.at(-1)) {
      await turns.next();
      while (this.#weights.has(top.folders[top.weighed] ?? '')) top.weighed++;
      const next = top.folders[top.weighed];
      if (next !== undefined) {
        enter(next);
        continue;
      }
      const { oid, own, folders } = top;
      this.#weights.set(
        oid,
        folders.reduce((sum, folder) => sum + (this.#weights.get(folder) ?? 0), own),
      );
      stack.pop();
    }
    return this.#weights.get(root) ?? read;
  }
}

function folderOf(repository: Repository, oid: string): Folder {
  const bytes = repository.readTreeBytes(oid);
  const folders: string[] = [];
  let entries = 0;
  for (const entry of rawEntries(bytes)) {
    entries++;
    if (isTree(entry)) folders.push(bytes.toString('hex', entry.end - OID_BYTES, entry.end));
  }
  return { oid, own: costOf(entries, bytes.length), folders, weighed: 0 };
}
