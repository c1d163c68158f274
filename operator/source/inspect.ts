import { CofferError } from '../../core/errors.ts';
import type { Repository } from '../../core/git/repository.ts';
import { changesBetween } from '../../core/git/trees/changes.ts';
import { MODE } from '../../core/git/trees/tree.ts';
import type { TreeWeights } from '../../core/git/trees/tree-weights.ts';
import { sourceFault } from './remote/faults.ts';

export interface Inspection {
  commit: string;
  /** What was inspected before, and so is whole. */
  previous: string | undefined;
  /** The folders, from the root, that will be read. */
  parts: readonly string[];
  address: string;
  /** Of trees of this source. */
  weights: TreeWeights;
  /** Ends it. */
  signal: AbortSignal;
}

/**
 * Makes sure that a commit, the folders that will be read and every file in them are there, and that the packs they came in
 * are intact. isomorphic-git moves its refs before a pack has arrived and leaves out objects that it cannot decode; an object
 * that has a place in its index was decoded and hashed. Throws `SOURCE_INCOMPLETE`, and `SOURCE_TOO_LARGE` where a folder holds more than can be walked.
 */
export async function assertWhole(repository: Repository, inspection: Inspection): Promise<void> {
  const { commit, previous, parts, address, weights, signal } = inspection;
  const incomplete = (detail: string, cause?: unknown): CofferError =>
    sourceFault('SOURCE_INCOMPLETE', { address, commit, detail, cause });
  try {
    const { tree } = await repository.readCommit(commit);
    const before = previous === undefined ? null : (await repository.readCommit(previous)).tree;
    await weights.assertWalkable(repository, tree, parts, signal);
    for (const under of parts) {
      for await (const { after, path } of changesBetween(repository, before, tree, { under, signal })) {
        if (after === undefined || after.mode === MODE.submodule || repository.objects.has(after.oid)) continue;
        throw incomplete(`${path} is missing`);
      }
    }
  } catch (error) {
    if (!(error instanceof CofferError) || !error.code.startsWith('GIT_')) throw error;
    throw unreadable(error, { address, commit });
  }
}

/** What a repository's own error says of a commit of a source. */
export function unreadable(error: CofferError, place: { address: string; commit: string }): CofferError {
  const fault = error.code === 'GIT_TREE_TOO_LARGE' ? 'SOURCE_TOO_LARGE' : 'SOURCE_INCOMPLETE';
  return sourceFault(fault, { ...place, detail: error.message, cause: error });
}
