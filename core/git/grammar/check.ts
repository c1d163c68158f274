import type { ObjectType } from '../object-type.ts';
import { commitProblems } from './commit.ts';
import { type Problem, TOLERATED } from './problem.ts';
import { tagProblems } from './tag.ts';
import { treeProblems } from './tree.ts';

/** What `git fsck` would say of an object by itself: whether what it names is there is another question. */
export function objectProblems(type: ObjectType, bytes: Buffer): Iterable<Problem> {
  if (type === 'tree') return treeProblems(bytes);
  if (type === 'commit') return commitProblems(bytes);
  return type === 'tag' ? tagProblems(bytes) : [];
}

/** The first problem for which an object is refused. */
export function refusedProblem(type: ObjectType, bytes: Buffer): Problem | undefined {
  for (const problem of objectProblems(type, bytes)) if (!TOLERATED.has(problem)) return problem;
  return undefined;
}
