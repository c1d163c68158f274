import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { ancestors } from '../../core/git/ancestors.ts';
import type { ObjectStore } from '../../core/git/object-store.ts';
import { writePack } from '../../core/git/pack-writer.ts';
import { openRepository, type Repository } from '../../core/git/repository.ts';
import { isTree, MODE, type TreeEntry } from '../../core/git/tree.ts';
import type { Quarantine } from './clone.ts';
import { sourceFault } from './faults.ts';
import type { FetchOptions, Head, Remote } from './remote.ts';

/**
 * A repository on this machine. It is read where it is (isomorphic-git fetches over HTTP only), and what a commit needs is
 * copied, so that a gc there, or its loss, takes nothing from what is projected.
 */
export class LocalRemote implements Remote {
  readonly #directory: string;
  readonly #branch: string;
  /** Folders and files, from the root, of which everything is copied. */
  readonly #parts: readonly string[];

  constructor(directory: string, branch: string, parts: readonly string[]) {
    this.#directory = directory;
    this.#branch = branch;
    this.#parts = parts;
  }

  async head(): Promise<Head> {
    const repository = await this.#open();
    const ref = `refs/heads/${this.#branch}`;
    const commit = await repository.readRef(ref);
    if (commit !== undefined) return { commit, ref };
    const fault = (await repository.readRef('HEAD')) === undefined ? 'SOURCE_EMPTY' : 'SOURCE_BRANCH_MISSING';
    throw sourceFault(fault, { address: this.#directory, detail: this.#branch });
  }

  async fetch(into: Quarantine, head: Head, { isWhole }: FetchOptions): Promise<void> {
    const repository = await this.#open();
    try {
      const oids = await this.#lacking(repository, into, head.commit, isWhole);
      if (oids.length > 0) {
        await writePack(join(into.directory, 'objects', 'pack'), oids, (oid) => repository.objects.read(oid));
      }
    } finally {
      repository.close();
    }
  }

  close(): void {}

  async #open(): Promise<Repository> {
    if ((await stat(this.#directory).catch(() => undefined)) === undefined) {
      throw sourceFault('SOURCE_MISSING', { address: this.#directory });
    }
    try {
      return await openRepository(this.#directory);
    } catch (error) {
      if (!(error instanceof CofferError) || error.code !== 'GIT_NOT_A_REPOSITORY') throw error;
      throw sourceFault('SOURCE_MISSING', { address: this.#directory, cause: error });
    }
  }

  /** What a fetch would send: the new commits (of the first one only itself, as with `--depth 1`) and all that they hold. */
  async #lacking(from: Repository, into: Quarantine, head: string, isWhole: boolean): Promise<string[]> {
    const own = into.repository.objects;
    const isFirst = (await into.repository.readRef(into.haveRef)) === undefined;
    if (isFirst && !isWhole) await into.writeShallow(head);
    const isNew = (oid: string): boolean =>
      isFirst && !isWhole ? oid === head : !own.has(oid) && from.objects.has(oid);
    const above = new Set<string>();
    const whole = new Set<string>();
    for await (const { oid, tree } of ancestors(from, head, isNew)) {
      above.add(oid);
      for (const part of this.#parts) {
        for (const folder of foldersAbove(part)) {
          const entry = await from.entryAt(tree, folder);
          if (entry !== undefined && isTree(entry)) above.add(entry.oid);
        }
        const entry = await from.entryAt(tree, part);
        if (entry !== undefined) await wantAll(from, own, entry, whole);
      }
    }
    return [...new Set([...above, ...whole])].filter((oid) => !own.has(oid));
  }
}

/** `a/b` lies in `''` and in `a`. */
function foldersAbove(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(0, i).join('/'));
}

/** A folder that is in the clone is there with all that it holds: it was adopted so. */
async function wantAll(from: Repository, own: ObjectStore, entry: TreeEntry, wanted: Set<string>): Promise<void> {
  if (entry.mode === MODE.submodule || wanted.has(entry.oid) || own.has(entry.oid)) return;
  wanted.add(entry.oid);
  if (!isTree(entry)) return;
  for (const child of (await from.readTree(entry.oid)).entries) await wantAll(from, own, child, wanted);
}
