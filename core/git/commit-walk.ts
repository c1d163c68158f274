import { Bug } from '../errors.ts';
import type { Commit } from './commit.ts';
import type { Repository } from './repository.ts';

/** Whether `ancestor` is `commit` or something that it descends from, as far as the repository's history reaches. */
export async function isAncestor(_repository: Repository, _ancestor: string, _commit: string): Promise<boolean> {
  throw new Bug('not written yet');
}

/** The best common ancestors of two commits, none of which is an ancestor of another; sorted. */
export async function mergeBases(_repository: Repository, _a: string, _b: string): Promise<string[]> {
  throw new Bug('not written yet');
}

/** The commits that `to` reaches and `from` does not, parents before children; without `from`, all that `to` reaches. */
// biome-ignore lint/correctness/useYield: not written yet
export async function* commitsBetween(
  _repository: Repository,
  _range: { from: string | undefined; to: string },
): AsyncGenerator<Commit> {
  throw new Bug('not written yet');
}
