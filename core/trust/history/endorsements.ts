import { orNothing } from '../../errors.ts';
import { isAncestor } from '../../git/commits/commit-walk.ts';
import type { Commit, Repository } from '../../git/repository.ts';
import { changesBetween } from '../../git/trees/changes.ts';
import { isFile } from '../../git/trees/tree.ts';
import { type EndorseRequest, isRequestPath, REQUESTS_FOLDER, readRequest } from '../../requests/request.ts';
import type { Signer } from '../../signatures/signer.ts';
import { Turns } from '../../turns.ts';
import type { Policy } from '../policy/policy.ts';
import { MOST_PARENTS } from './merge.ts';
import type { Witnesses } from './witnesses.ts';

/** That a signer who is granted `endorse` stands for a commit. */
export interface Endorsement {
  /** The commit that says so. */
  by: string;
  signer: Signer;
  /** What it stands for: an ancestor of `by`. */
  commit: string;
  /**
   * Commits of a former branch that it gives up. With any, its signer stands for all that the endorsed commit holds, because it was
   * compared with what is given up; without, for what that commit changes.
   */
  abandons: readonly string[];
}

/**
 * The endorsements that these commits make themselves, in their order: each adds or changes the file of a request, is signed by
 * somebody who may endorse, and descends from what it endorses. What a merge brings from a parent is that parent's word, and a
 * file that somebody copied is that person's.
 */
export async function endorsementsIn(
  repository: Repository,
  commits: readonly Commit[],
  { witnesses, policy, signal }: { witnesses: Witnesses; policy: Policy; signal?: AbortSignal | undefined },
): Promise<Endorsement[]> {
  const found: Endorsement[] = [];
  const turns = new Turns(signal);
  for (const commit of commits) {
    await turns.next();
    for (const { path, request } of await ownRequests(repository, commit, signal)) {
      const { signer } = await witnesses.ofCommit(commit);
      if (signer === undefined || !policy.mayChange(signer, path, 'endorse')) continue;
      if (request.commit === commit.oid || !(await isAncestor(repository, request.commit, commit.oid))) continue;
      found.push({ by: commit.oid, signer, commit: request.commit, abandons: request.abandons });
    }
  }
  return found;
}

async function ownRequests(
  repository: Repository,
  commit: Commit,
  signal: AbortSignal | undefined,
): Promise<{ path: string; request: EndorseRequest }[]> {
  // Where a shallow clone ends nobody can say what a commit brought itself.
  if (commit.parents.some((parent) => !repository.objects.has(parent))) return [];
  if (new Set(commit.parents).size > MOST_PARENTS) return [];
  const trees = new Set<string>();
  for (const parent of commit.parents) trees.add((await repository.readCommit(parent)).tree);
  const own = new Map<string, number>();
  const requests: { path: string; request: EndorseRequest }[] = [];
  for (const tree of trees.size === 0 ? [null] : trees) {
    const options = { under: REQUESTS_FOLDER, signal };
    for await (const { path, after } of changesBetween(repository, tree, commit.tree, options)) {
      const count = (own.get(path) ?? 0) + 1;
      own.set(path, count);
      if (after === undefined || !isFile(after) || count < trees.size || !isRequestPath(path)) continue;
      const bytes = await repository.readBlobWithin(after.oid);
      const request = bytes && endorseRequestOf(bytes, path);
      if (request !== undefined) requests.push({ path, request });
    }
  }
  return requests;
}

/** A file that cannot be read endorses nothing; `coffer check` says what is wrong with it. */
function endorseRequestOf(bytes: Buffer, path: string): EndorseRequest | undefined {
  const request = orNothing(() => readRequest(bytes, path));
  return request?.kind === 'endorse' ? request : undefined;
}
