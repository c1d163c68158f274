import type { Repository } from '../repository.ts';
import type { Commit } from './commit.ts';

/**
 * A commit and what it descends from, nearest first, each once. Only commits for which `enter` says true are read and
 * yielded, and nothing is looked for behind the others: the end of a shallow clone, say.
 */
export async function* ancestors(
  repository: Repository,
  from: string,
  enter: (commit: string) => boolean,
): AsyncGenerator<Commit> {
  const seen = new Set([from]);
  const queue = [from];
  for (const oid of queue) {
    if (!enter(oid)) continue;
    const commit = await repository.readCommit(oid);
    yield commit;
    for (const parent of commit.parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      queue.push(parent);
    }
  }
}
