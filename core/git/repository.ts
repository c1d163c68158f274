import { CofferError } from '../errors.ts';
import { type Commit, parseCommit } from './commits/commit.ts';
import { CommitGraph } from './commits/commit-graph.ts';
import { findGitDirectory, type GitDirectory } from './git-directory.ts';
import { type GitObject, ObjectStore } from './objects/object-store.ts';
import type { ObjectType } from './packs/pack.ts';
import { readRef, readShallow } from './refs/refs.ts';
import { resolveRevision } from './refs/revision.ts';
import { pathParts } from './trees/path.ts';
import { RecentTrees } from './trees/recent-trees.ts';
import { isTree, MODE, parseTree, type Tree, type TreeEntry } from './trees/tree.ts';

export type { Commit, Ident, Person } from './commits/commit.ts';
export type { Tree, TreeEntry } from './trees/tree.ts';

/** Git's name of the tree without entries; it need not be stored. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** Larger files are not read: what holds manifests may be as large (core/format/document/source-text.ts). */
const LARGEST_FILE = 16 * 2 ** 20;

/**
 * Reads the objects and refs of a repository; writes nothing. Every object is checked against its name. Reads are
 * synchronous underneath: an object is one or two reads from the page cache, less than a hop to a thread costs.
 */
export class Repository {
  readonly directory: GitDirectory;
  readonly objects: ObjectStore;
  readonly graph: CommitGraph;
  readonly #recentTrees = new RecentTrees();

  /** `graph`: what is known already of the history that this repository shares. */
  constructor(directory: GitDirectory, objects: ObjectStore, graph = new CommitGraph()) {
    this.directory = directory;
    this.objects = objects;
    this.graph = graph;
  }

  /**
   * The id of the commit that a full or abbreviated object id, `HEAD`, branch, tag or ref names, followed by any number of
   * `~N` and `^N` (gitrevisions). Throws `GIT_REVISION_UNKNOWN`, `GIT_REVISION_AMBIGUOUS`.
   */
  async resolve(revision: string): Promise<string> {
    return resolveRevision(this.directory, this.objects, (oid) => this.#commit(oid).parents, revision);
  }

  /** The object that a full ref name (`refs/heads/main`, `HEAD`) stands for. */
  async readRef(name: string): Promise<string | undefined> {
    return readRef(this.directory, name);
  }

  /** The commits whose parents were left out on purpose (git's `shallow` file). */
  shallow(): ReadonlySet<string> {
    return readShallow(this.directory);
  }

  async readCommit(oid: string): Promise<Commit> {
    return this.#commit(oid);
  }

  /** The entries with legal names, and the names of the others. */
  async readTree(oid: string): Promise<Tree> {
    return parseTree(this.readTreeBytes(oid));
  }

  /** A tree as it is stored (core/git/trees/tree.ts reads it). */
  readTreeBytes(oid: string): Buffer {
    if (oid === EMPTY_TREE) return Buffer.alloc(0);
    const recent = this.#recentTrees.get(oid);
    if (recent !== undefined) return recent;
    const bytes = this.#read(oid, 'tree');
    this.#recentTrees.put(oid, bytes);
    return bytes;
  }

  /** Throws `GIT_FILE_TOO_LARGE`, before it is read, where it is larger than a file of manifests may be (16 MiB). */
  async readBlob(oid: string): Promise<Buffer> {
    return this.#read(oid, 'blob', LARGEST_FILE);
  }

  /** The same, `undefined` where it is too large: whoever asks what files say takes such a one for a file that says nothing. */
  async readBlobWithin(oid: string): Promise<Buffer | undefined> {
    try {
      return this.#read(oid, 'blob', LARGEST_FILE);
    } catch (error) {
      if (error instanceof CofferError && error.code === 'GIT_FILE_TOO_LARGE') return undefined;
      throw error;
    }
  }

  /** Any object as it is stored: what a signature was made over, say. */
  readRaw(oid: string): GitObject {
    return this.objects.read(oid);
  }

  /** What stands at a path (`''`: the root) below a tree; symlinks are not followed. `undefined`: nothing. */
  async entryAt(tree: string, path: string): Promise<TreeEntry | undefined> {
    const parts = pathParts(path);
    if (parts === undefined) return undefined;
    let entry: TreeEntry = { name: '', mode: MODE.tree, oid: tree };
    for (const part of parts) {
      if (!isTree(entry)) return undefined;
      const { oid } = entry;
      const next = this.#recentTrees.entry(oid, part, () => this.readTreeBytes(oid));
      if (next === undefined) return undefined;
      entry = next;
    }
    return entry;
  }

  /** Ends the use of open files; reading opens them again. */
  close(): void {
    this.objects.close();
  }

  #commit(oid: string): Commit {
    return parseCommit(oid, this.#read(oid, 'commit'));
  }

  #read(oid: string, type: ObjectType, largest?: number): Buffer {
    const object = this.objects.read(oid, largest);
    if (object.type === type) return object.bytes;
    throw new CofferError('GIT_OBJECT_MALFORMED', `the object ${oid} is a ${object.type} where a ${type} belongs`, {
      advice: 'Run `git fsck` there, and push a commit without it.',
    });
  }
}

/** Opens a bare repository, a work tree or a linked work tree. Throws `GIT_NOT_A_REPOSITORY`, `GIT_FORMAT_UNSUPPORTED`. */
export async function openRepository(directory: string): Promise<Repository> {
  const found = await findGitDirectory(directory);
  return new Repository(found, new ObjectStore([`${found.common}/objects`]));
}
