import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../../core/errors.ts';
import { ancestors } from '../../../core/git/commits/ancestors.ts';
import { attackedObject } from '../../../core/git/intake/faults.ts';
import type { GitObject, ObjectStore } from '../../../core/git/objects/object-store.ts';
import { writePack } from '../../../core/git/packs/pack-writer.ts';
import { listRefs } from '../../../core/git/refs/refs.ts';
import { openRepository, type Repository } from '../../../core/git/repository.ts';
import { isCollisionAttack } from '../../../core/git/sha1/collision-attack.ts';
import { isTree, MODE, type TreeEntry } from '../../../core/git/trees/tree.ts';
import type { Quarantine } from '../clone/quarantine.ts';
import { sourceFault } from './faults.ts';
import type { Followed } from './git-remote.ts';
import type { FetchOptions, Head, Remote } from './remote.ts';
import { highestTag } from './tags.ts';

/**
 * A repository on this machine. It is read where it is (isomorphic-git fetches over HTTP only), and what a commit needs is
 * copied, so that a gc there, or its loss, takes nothing from what is projected.
 */
export class LocalRemote implements Remote {
  readonly #directory: string;
  readonly #followed: Followed;
  /** Folders and files, from the root, of which everything is copied. */
  readonly #parts: readonly string[];

  constructor(directory: string, followed: Followed, parts: readonly string[]) {
    this.#directory = directory;
    this.#followed = followed;
    this.#parts = parts;
  }

  async head(): Promise<Head> {
    const repository = await this.#open();
    const followed = this.#followed;
    const ref = 'tag' in followed ? await this.#tag(repository, followed.tag) : `refs/heads/${followed.branch}`;
    const oid = await repository.readRef(ref);
    if (oid !== undefined) {
      const commit = 'tag' in followed ? await repository.resolve(ref) : oid;
      return commit === oid ? { commit, ref } : { commit, tag: oid, ref };
    }
    const fault = (await repository.readRef('HEAD')) === undefined ? 'SOURCE_EMPTY' : 'SOURCE_BRANCH_MISSING';
    throw sourceFault(fault, { address: this.#directory, detail: 'tag' in followed ? followed.tag : followed.branch });
  }

  async #tag(repository: Repository, glob: string): Promise<string> {
    const name = highestTag(await listRefs(repository.directory, 'refs/tags/'), glob);
    if (name !== undefined) return `refs/tags/${name}`;
    throw sourceFault('SOURCE_TAG_MISSING', { address: this.#directory, detail: glob });
  }

  async fetch(into: Quarantine, head: Head, { isWhole }: FetchOptions): Promise<void> {
    const repository = await this.#open();
    try {
      const oids = await this.#lacking(repository, into, head.commit, isWhole);
      if (head.tag !== undefined && !into.repository.objects.has(head.tag)) oids.push(head.tag);
      if (oids.length > 0) {
        await writePack(join(into.directory, 'objects', 'pack'), oids, (oid) => unattacked(repository, oid));
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
    const isCutOff = into.repository.shallow().size > 0;
    if (isFirst && !isWhole) await into.writeShallow(head);
    // git's `shallow` file: nothing is cut off any more.
    if (isCutOff && isWhole) await rm(join(into.directory, 'shallow'));
    const isNew = (oid: string): boolean => {
      if (isFirst && !isWhole) return oid === head;
      // Below where it was cut off there is more that is not here.
      return from.objects.has(oid) && ((isCutOff && isWhole) || !own.has(oid));
    };
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

/** Throws `PACK_COLLISION_ATTACK`. */
function unattacked({ objects }: Repository, oid: string): GitObject {
  const { type, bytes } = objects.read(oid);
  if (isCollisionAttack(type, bytes)) throw attackedObject(type, oid);
  return { type, bytes };
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
