import { rowOf } from './fact-rows.ts';
import type { Fact, Role } from './facts.ts';

/** A file that a commit has otherwise than its first parent. Numbers are those of the records' tables. */
export interface FileChange {
  path: number;
  /** Absent: the file is gone, or says nothing. */
  after?: number;
  /** Of the first parent. */
  before?: number;
  /** Of the other parents of a merge: what they have there was not written by it. */
  others: readonly number[];
}

/** What a commit says of itself, and which files that say something it changes. */
export interface CommitFacts {
  oid: string;
  /** Numbers of commits, all smaller than its own. */
  parents: readonly number[];
  author: { name: string; email: string };
  committer: { name: string; email: string };
  /** Of the committer, in seconds since 1970, UTC. */
  time: number;
  changes: readonly FileChange[];
  /** A code: it could not be compared with its first parent, so that what it changed is not known. */
  gap?: string;
}

export interface VersionFacts {
  /** Of the blob. */
  oid: string;
  role: Role;
  /** Numbers of facts, each once. */
  facts: readonly number[];
}

/** What is known of a history, in tables that only grow, so that a file of them can be added to. */
export class HistoryFacts {
  readonly facts: Fact[] = [];
  readonly paths: string[] = [];
  readonly versions: VersionFacts[] = [];
  readonly commits: CommitFacts[] = [];
  readonly #facts = new Map<string, number>();
  readonly #paths = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  readonly #commits = new Map<string, number>();

  fact(fact: Fact): number {
    return intern(this.#facts, this.facts, rowOf(fact).join('\0'), fact);
  }

  path(path: string): number {
    return intern(this.#paths, this.paths, path, path);
  }

  /** The versions that have this sealed text, those that were read last first. Looks at all of them. */
  *versionsWith(text: string): Generator<VersionFacts> {
    const wanted = new Set(
      this.facts.flatMap((fact, number) => (fact.kind === 'value' && fact.text === text ? [number] : [])),
    );
    for (const version of this.versions.toReversed()) {
      if (version.facts.some((fact) => wanted.has(fact))) yield version;
    }
  }

  versionOf(oid: string, role: Role): number | undefined {
    return this.#versions.get(`${role} ${oid}`);
  }

  addVersion(version: VersionFacts): number {
    return intern(this.#versions, this.versions, `${version.role} ${version.oid}`, version);
  }

  commitOf(oid: string): number | undefined {
    return this.#commits.get(oid);
  }

  addCommit(commit: CommitFacts): number {
    return intern(this.#commits, this.commits, commit.oid, commit);
  }
}

function intern<Value>(numbers: Map<string, number>, values: Value[], key: string, value: Value): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  numbers.set(key, values.length);
  return values.push(value) - 1;
}
