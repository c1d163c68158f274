import { CofferError } from '../errors.ts';
import type { Commit } from '../git/commits/commit.ts';
import { unknownCommits } from '../git/commits/unknown-commits.ts';
import type { Repository } from '../git/repository.ts';
import { type Change, changesBetween, type Side } from '../git/trees/changes.ts';
import { isFile } from '../git/trees/tree.ts';
import { Turns } from '../turns.ts';
import { type Fact, factsOf, factsOfLarge, type Role, roleOf } from './facts.ts';
import type { FileChange, HistoryFacts } from './history-facts.ts';
import { TextDigests } from './text-digest.ts';

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  /** Told now and then how many commits are known by now. */
  onProgress?: ((commits: number) => void) | undefined;
}

/** A commit that is made so that it cannot be compared is a gap, which the report says; it must not hide all others. */
const GAPS = new Set(['GIT_TREE_TOO_LARGE', 'GIT_OBJECT_MALFORMED']);

/** Of files: larger than any object that is read, or damaged. */
const UNREADABLE = new Set(['GIT_FILE_TOO_LARGE', 'GIT_OBJECT_CORRUPT', 'GIT_OBJECT_MALFORMED']);

const NOTHING = Buffer.alloc(0);

/** So many commits are compared before the files that they bring are read, all versions of one file together. */
const BATCH = 50_000;

/** One side of a change: a version of a file. */
interface Version {
  oid: string;
  role: Role;
}

interface PathChange {
  path: string;
  before: Version | undefined;
  after: Version | undefined;
  others: readonly Version[];
}

interface Compared {
  commit: Commit;
  changes: readonly PathChange[];
  gap?: string;
}

/**
 * Adds what these commits reach and the records do not have. Needs `sodiumReady`. Throws `GIT_OBJECT_MISSING` (a partial clone),
 * and the reason of the signal; whole batches that were read until then stay.
 */
export async function readHistory(
  repository: Repository,
  records: HistoryFacts,
  heads: Iterable<string>,
  options: ReadOptions = {},
): Promise<void> {
  const reader = new HistoryReader(repository, records, options);
  let batch: Compared[] = [];
  const isKnown = (oid: string) => records.commitOf(oid) !== undefined;
  for await (const commit of unknownCommits(repository, heads, isKnown)) {
    batch.push(await reader.compare(commit));
    if (batch.length < BATCH) continue;
    await reader.add(batch);
    batch = [];
  }
  await reader.add(batch);
}

/**
 * What a tree has otherwise than a commit: where files are held back, what counts as current is not the commit itself. Path → version,
 * by the records' numbers; undefined: it is not there, or says nothing. Adds to the records. Throws as readHistory does.
 */
export async function readDifference(
  repository: Repository,
  records: HistoryFacts,
  { commit, tree }: { commit: string; tree: string },
): Promise<Map<number, number | undefined>> {
  return new HistoryReader(repository, records, {}).difference((await repository.readCommit(commit)).tree, tree);
}

class HistoryReader {
  readonly #repository: Repository;
  readonly #records: HistoryFacts;
  readonly #options: ReadOptions;
  readonly #turns: Turns;
  readonly #digests = new TextDigests();
  /** Blob → why it could not be read. */
  readonly #unread = new Map<string, string>();
  /** Of the commits of this run; those of others are read again. */
  readonly #trees = new Map<string, string>();

  constructor(repository: Repository, records: HistoryFacts, options: ReadOptions) {
    this.#repository = repository;
    this.#records = records;
    this.#options = options;
    this.#turns = new Turns(options.signal);
  }

  async compare(commit: Commit): Promise<Compared> {
    this.#trees.set(commit.oid, commit.tree);
    if (this.#trees.size % 500 === 0) this.#options.onProgress?.(this.#trees.size);
    try {
      return { commit, changes: await this.#changes(commit) };
    } catch (error) {
      if (!(error instanceof CofferError && GAPS.has(error.code))) throw error;
      return { commit, changes: [], gap: error.code };
    }
  }

  async difference(from: string, to: string): Promise<Map<number, number | undefined>> {
    const found = new Map<number, number | undefined>();
    if (from === to) return found;
    for await (const change of changesBetween(this.#repository, from, to)) {
      const { path, after } = await this.#change(change, []);
      if (after !== undefined) await this.#readVersion(after.oid, after.role);
      const version = after === undefined ? undefined : this.#records.versionOf(after.oid, after.role);
      found.set(this.#records.path(path), version);
    }
    return found;
  }

  async add(batch: readonly Compared[]): Promise<void> {
    await this.#readVersions(batch);
    const person = ({ name, email }: { name: string; email: string }) => ({ name, email });
    for (const { commit, changes, gap } of batch) {
      const { oid, author, committer, parents } = commit;
      this.#records.addCommit({
        ...{ oid, author: person(author), committer: person(committer), time: committer.time },
        parents: parents.map((parent) => this.#records.commitOf(parent) ?? -1),
        changes: changes.flatMap((change) => this.#numbered(change) ?? []),
        ...gapOf(gap ?? this.#unreadIn(changes)),
      });
    }
  }

  async #changes({ tree, parents: [first, ...others] }: Commit): Promise<PathChange[]> {
    const before = first === undefined ? null : await this.#treeOf(first);
    const otherTrees = await Promise.all(others.map((parent) => this.#treeOf(parent)));
    const { signal } = this.#options;
    const changes: PathChange[] = [];
    for await (const change of changesBetween(this.#repository, before, tree, { signal })) {
      await this.#turns.next();
      changes.push(await this.#change(change, otherTrees));
    }
    return changes;
  }

  async #change({ path, before, after }: Change, otherTrees: readonly string[]): Promise<PathChange> {
    const role = roleOf(path);
    const version = (side: Side | undefined) =>
      side === undefined || !isFile(side) ? undefined : { oid: side.oid, role };
    const others: Version[] = [];
    for (const tree of otherTrees) {
      const other = version(await this.#repository.entryAt(tree, path));
      if (other !== undefined) others.push(other);
    }
    return { path, before: version(before), after: version(after), others };
  }

  /** Newest first, file by file: that is how packs lay one version upon another, and how neighbours are alike. */
  async #readVersions(batch: readonly Compared[]): Promise<void> {
    const byPath = new Map<string, Map<string, Version>>();
    for (const { changes } of batch.toReversed()) {
      for (const { path, before, after, others } of changes) {
        for (const version of [after, before, ...others]) {
          if (version === undefined || this.#records.versionOf(version.oid, version.role) !== undefined) continue;
          const versions = byPath.get(path) ?? new Map<string, Version>();
          if (versions.size === 0) byPath.set(path, versions);
          versions.set(version.oid, version);
        }
      }
    }
    const read = new Set<string>();
    for (const versions of byPath.values()) {
      for (const { oid, role } of versions.values()) {
        const key = `${role} ${oid}`;
        if (read.has(key)) continue;
        read.add(key);
        await this.#turns.next();
        await this.#readVersion(oid, role);
      }
    }
  }

  /** What says nothing is not noted: most of a repository may be code. */
  async #readVersion(oid: string, role: Role): Promise<void> {
    const facts = role === 'ejson' ? factsOf(NOTHING, role, this.#digests) : await this.#factsOf(oid, role);
    if (facts.length === 0) return;
    const numbers = new Set(facts.map((fact) => this.#records.fact(fact)));
    this.#records.addVersion({ oid, role, facts: [...numbers] });
  }

  async #factsOf(oid: string, role: Role): Promise<Fact[]> {
    try {
      const bytes = await this.#repository.readBlobWithin(oid);
      if (bytes !== undefined) return factsOf(bytes, role, this.#digests);
      return factsOfLarge(this.#repository.readRaw(oid).bytes, this.#digests);
    } catch (error) {
      if (!(error instanceof CofferError && UNREADABLE.has(error.code))) throw error;
      this.#unread.set(oid, error.code);
      return [];
    }
  }

  /** Undefined where nothing on any side says anything. */
  #numbered({ path, before, after, others }: PathChange): FileChange | undefined {
    const numberOf = (version: Version | undefined) =>
      version === undefined ? undefined : this.#records.versionOf(version.oid, version.role);
    const [old, now] = [numberOf(before), numberOf(after)];
    if (old === undefined && now === undefined) return undefined;
    return {
      ...{ path: this.#records.path(path), others: others.flatMap((version) => numberOf(version) ?? []) },
      ...(old === undefined ? {} : { before: old }),
      ...(now === undefined ? {} : { after: now }),
    };
  }

  #unreadIn(changes: readonly PathChange[]): string | undefined {
    if (this.#unread.size === 0) return undefined;
    return changes.map(({ after }) => this.#unread.get(after?.oid ?? '')).find((code) => code !== undefined);
  }

  async #treeOf(commit: string): Promise<string> {
    return this.#trees.get(commit) ?? (await this.#repository.readCommit(commit)).tree;
  }
}

function gapOf(gap: string | undefined): { gap?: string } {
  return gap === undefined ? {} : { gap };
}
