import { isAncestor } from '../../../core/git/commits/commit-walk.ts';
import type { Repository } from '../../../core/git/repository.ts';
import type { Replacement } from '../../../core/git/trees/tree-writer.ts';
import type { Outstanding } from '../../../core/trust/verdict.ts';
import type { Acceptance } from '../../trust/acceptances.ts';
import type { Floor } from '../../trust/floors.ts';
import type { Remembered } from '../../trust/memory.ts';
import { formerMissing } from './refusals.ts';

/** What a head has to follow. */
export interface Base {
  since?: string;
  accepted: string;
  /** Nobody had to sign then. */
  isUnproven: boolean;
  outstanding: readonly Outstanding[];
  /** What was taken of a path then. */
  entryAt(path: string): Promise<Replacement | undefined>;
}

/** The first of these that a head is, or descends from. */
export async function lastBefore(
  repository: Repository,
  head: string,
  acceptances: readonly Acceptance[],
): Promise<Acceptance | undefined> {
  for (const given of acceptances) if (await isAncestor(repository, given.commit, head)) return given;
  return undefined;
}

/** Trust begins at this commit: all that it holds is taken for good. */
export async function baseAt(repository: Repository, commit: string): Promise<Base> {
  const { tree } = await repository.readCommit(commit);
  return {
    since: commit,
    accepted: commit,
    isUnproven: false,
    outstanding: [],
    entryAt: (path) => repository.entryAt(tree, path),
  };
}

/**
 * Of what was accepted elsewhere, the objects are in the history that was fetched; or the branch is another, and nobody here knows what
 * stood at a path. Then `entryAt` throws TRUST_FORMER_MISSING.
 */
export function baseOfFloor(repository: Repository, { commit, basis, outstanding, held }: Floor): Base {
  const stands = new Map(Object.entries(held));
  const entryAt = async (path: string) => {
    const entry = stands.get(path);
    if (entry !== undefined) return entry ?? undefined;
    if (!repository.objects.has(commit)) throw formerMissing(path, commit);
    return repository.entryAt((await repository.readCommit(commit)).tree, path);
  };
  return { accepted: commit, isUnproven: basis === 'unsigned', outstanding, entryAt };
}

export function baseOf(repository: Repository, { commit, tree, since, basis, outstanding }: Remembered): Base {
  const entryAt = (path: string) => repository.entryAt(tree, path);
  const isUnproven = basis === 'unsigned';
  return { accepted: commit, isUnproven, outstanding, entryAt, ...(since === undefined ? {} : { since }) };
}
