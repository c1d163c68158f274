import { ancestors } from '../../../core/git/commits/ancestors.ts';
import type { Commit, Repository } from '../../../core/git/repository.ts';
import type { Change } from '../../../core/git/trees/changes.ts';
import type { Origin } from './claim.ts';

/** Look-ups of a path in a commit's tree; beyond this the newest commit is named. */
const BUDGET = 20_000;

/**
 * Which commit brought each changed file: several may have arrived in one poll, by several authors. Of the commits between
 * `previous` and `commit` it is the nearest that has the file's new content while none of its parents has.
 */
export async function originsOf(
  repository: Repository,
  commit: string,
  previous: string | undefined,
  changes: readonly Change[],
): Promise<(path: string) => Origin> {
  const newest = await repository.readCommit(commit);
  const origins = new Map<string, Origin>();
  const pending = new Map(changes.flatMap(({ path, after }) => (after === undefined ? [] : [[path, after.oid]])));
  const isOneStep = previous === undefined || (newest.parents.length === 1 && newest.parents[0] === previous);
  if (!isOneStep) await search(repository, commit, previous, pending, origins);
  const fallback = originOf(newest);
  return (path) => origins.get(path) ?? fallback;
}

export function originOf({ oid, author: { name, email, time } }: Commit): Origin {
  return { commit: oid, author: { name, email }, time };
}

async function search(
  repository: Repository,
  commit: string,
  previous: string,
  pending: Map<string, string>,
  origins: Map<string, Origin>,
): Promise<void> {
  let budget = BUDGET;
  const isNew = (oid: string): boolean => oid !== previous && repository.objects.has(oid);
  for await (const candidate of ancestors(repository, commit, isNew)) {
    const parents = candidate.parents.filter((parent) => repository.objects.has(parent));
    for (const [path, blob] of pending) {
      budget -= 1 + parents.length;
      if (budget < 0) return;
      if ((await blobAt(repository, candidate.oid, path)) !== blob) continue;
      const before = await Promise.all(parents.map((parent) => blobAt(repository, parent, path)));
      if (before.includes(blob)) continue;
      origins.set(path, originOf(candidate));
      pending.delete(path);
    }
    if (pending.size === 0) return;
  }
}

async function blobAt(repository: Repository, commit: string, path: string): Promise<string | undefined> {
  return (await repository.entryAt((await repository.readCommit(commit)).tree, path))?.oid;
}
