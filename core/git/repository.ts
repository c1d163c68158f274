import { Bug } from '../errors.ts';

export interface Person {
  name: string;
  email: string;
}

export interface Commit {
  oid: string;
  tree: string;
  parents: readonly string[];
  /** `time` is in seconds since 1970, UTC. */
  author: Person & { time: number };
  committer: Person & { time: number };
  message: string;
}

export interface TreeEntry {
  name: string;
  /** Octal, as git writes it: `100644`, `100755`, `120000` (symlink), `160000` (submodule), `40000` (tree). */
  mode: string;
  oid: string;
}

/** Reads the objects and refs of a repository; writes nothing. */
export interface Repository {
  /** The folder that holds `objects` and `refs`. */
  readonly gitDirectory: string;
  /** A full or abbreviated object name, HEAD, branch, tag or ref, with `~N` and `^N`; the name of the commit. */
  resolve(revision: string): Promise<string>;
  readCommit(oid: string): Promise<Commit>;
  /** Entries whose name is legal (core/git/path.ts); `refused` names the others. */
  readTree(oid: string): Promise<{ entries: TreeEntry[]; refused: string[] }>;
  readBlob(oid: string): Promise<Buffer>;
  /** The entry at a path below a tree, `undefined` where there is none. */
  entryAt(tree: string, path: string): Promise<TreeEntry | undefined>;
  close(): Promise<void>;
}

/** Opens a bare repository, a work tree or a linked work tree. */
export async function openRepository(_directory: string): Promise<Repository> {
  throw new Bug('not written yet');
}
