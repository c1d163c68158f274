import { CofferError } from '../errors.ts';
import { type Change, changesBetween, type Side } from '../git/changes.ts';
import type { Commit } from '../git/commit.ts';
import { Turns } from '../git/intake/turns.ts';
import type { Repository } from '../git/repository.ts';
import { isFile } from '../git/tree.ts';
import { unknownCommits } from '../git/unknown-commits.ts';
import { factsOf, roleOf } from './facts.ts';
import type { CommitRecord, FileChange, Records } from './records.ts';
import { TextDigests } from './text-digest.ts';

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  /** Told now and then how many commits were read. */
  onProgress?: ((commits: number) => void) | undefined;
}

/** A commit that is made so that it cannot be compared is a gap, which the report says; it must not hide all others. */
const GAPS = new Set(['GIT_TREE_TOO_LARGE', 'GIT_OBJECT_MALFORMED']);

/** Versions that say nothing: code, say. Kept so that a merge does not read them again. */
const MOST_SILENT = 500_000;

/**
 * Adds what these commits reach and the records do not have. Needs `sodiumReady`. Throws `GIT_OBJECT_MISSING` (a partial clone),
 * and the reason of the signal; what was read until then stays.
 */
export async function readHistory(
  repository: Repository,
  records: Records,
  heads: Iterable<string>,
  options: ReadOptions = {},
): Promise<void> {
  const reader = new HistoryReader(repository, records, options);
  const commits = unknownCommits(repository, heads, (oid) => records.commitOf(oid) !== undefined);
  for await (const commit of commits) await reader.add(commit);
}

class HistoryReader {
  readonly #repository: Repository;
  readonly #records: Records;
  readonly #options: ReadOptions;
  readonly #turns: Turns;
  readonly #digests = new TextDigests();
  readonly #silent = new Set<string>();
  /** Of the commits that were read in this run; of others they are read again. */
  readonly #trees = new Map<string, string>();

  constructor(repository: Repository, records: Records, options: ReadOptions) {
    this.#repository = repository;
    this.#records = records;
    this.#options = options;
    this.#turns = new Turns(options.signal);
  }

  async add(commit: Commit): Promise<void> {
    this.#trees.set(commit.oid, commit.tree);
    const { oid, author, committer } = commit;
    const person = ({ name, email }: { name: string; email: string }) => ({ name, email });
    this.#records.addCommit({
      ...{ oid, author: person(author), committer: person(committer), time: committer.time },
      parents: commit.parents.map((parent) => this.#records.commitOf(parent) ?? -1),
      ...(await this.#changesOrGap(commit)),
    });
    const count = this.#records.commits.length;
    if (count % 500 === 0) this.#options.onProgress?.(count);
  }

  async #changesOrGap(commit: Commit): Promise<Pick<CommitRecord, 'changes' | 'gap'>> {
    try {
      return { changes: await this.#changes(commit) };
    } catch (error) {
      if (!(error instanceof CofferError && GAPS.has(error.code))) throw error;
      return { changes: [], gap: error.code };
    }
  }

  async #changes({ tree, parents: [first, ...others] }: Commit): Promise<FileChange[]> {
    const before = first === undefined ? null : await this.#treeOf(first);
    const otherTrees = await Promise.all(others.map((parent) => this.#treeOf(parent)));
    const signal = this.#options.signal;
    const changes: FileChange[] = [];
    for await (const change of changesBetween(this.#repository, before, tree, { signal })) {
      await this.#turns.next();
      const changed = await this.#change(change, otherTrees);
      if (changed !== undefined) changes.push(changed);
    }
    return changes;
  }

  /** Undefined where neither side says anything. */
  async #change({ path, before, after }: Change, otherTrees: readonly string[]): Promise<FileChange | undefined> {
    const sides = [await this.#version(path, before), await this.#version(path, after)];
    if (sides.every((side) => side === undefined)) return undefined;
    const others: number[] = [];
    for (const tree of otherTrees) {
      const version = await this.#version(path, await this.#repository.entryAt(tree, path));
      if (version !== undefined) others.push(version);
    }
    const [old, now] = sides;
    return {
      ...{ path: this.#records.path(path), others },
      ...(old === undefined ? {} : { before: old }),
      ...(now === undefined ? {} : { after: now }),
    };
  }

  async #version(path: string, side: Side | undefined): Promise<number | undefined> {
    if (side === undefined || !isFile(side)) return undefined;
    const role = roleOf(path);
    const key = `${role} ${side.oid}`;
    const known = this.#records.versionOf(side.oid, role);
    if (known !== undefined || this.#silent.has(key)) return known;
    const bytes = role === 'ejson' ? Buffer.alloc(0) : await this.#repository.readBlobWithin(side.oid);
    const facts = bytes === undefined ? [] : factsOf(bytes, role, this.#digests);
    if (facts.length > 0) {
      const numbers = new Set(facts.map((fact) => this.#records.fact(fact)));
      return this.#records.addVersion({ oid: side.oid, role, facts: [...numbers] });
    }
    if (this.#silent.size < MOST_SILENT) this.#silent.add(key);
    return undefined;
  }

  async #treeOf(commit: string): Promise<string> {
    return this.#trees.get(commit) ?? (await this.#repository.readCommit(commit)).tree;
  }
}
