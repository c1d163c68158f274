import { Header, identityProblem, isObjectId } from './header.ts';
import type { Problem } from './problem.ts';

/** As fsck_commit, in its order. */
export function* commitProblems(bytes: Buffer): Generator<Problem> {
  const header = new Header(bytes);
  if (header.problem !== undefined) return yield header.problem;
  const tree = header.take('tree');
  if (tree === undefined) return yield 'missingTree';
  if (!isObjectId(tree)) return yield 'badTreeSha1';
  for (let parent = header.take('parent'); parent !== undefined; parent = header.take('parent')) {
    if (!isObjectId(parent)) return yield 'badParentSha1';
  }
  let authors = 0;
  for (let author = header.take('author'); author !== undefined; author = header.take('author')) {
    const problem = identityProblem(author);
    if (problem !== undefined) yield problem;
    if (++authors > 1) return yield 'multipleAuthors';
  }
  if (authors === 0) return yield 'missingAuthor';
  const committer = header.take('committer');
  if (committer === undefined) return yield 'missingCommitter';
  const problem = identityProblem(committer);
  if (problem !== undefined) yield problem;
  if (bytes.includes(0)) yield 'nulInCommit';
}
