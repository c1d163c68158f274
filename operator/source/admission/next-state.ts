import type { Repository } from '../../../core/git/repository.ts';
import { replacePaths } from '../../../core/git/trees/tree-writer.ts';
import type { Learnt } from '../../../core/trust/sealed/sealed-before.ts';
import type { Remembered } from '../../trust/memory.ts';
import { LooseObjects } from '../clone/loose-objects.ts';
import type { Admitted } from './admission.ts';

/** A state that is about to become the accepted one. */
export interface NextState {
  remembered: Remembered;
  /** Trees that no commit has: with what stands in the place of held paths. */
  objects: LooseObjects;
  learnt: Learnt;
}

/** Puts together what counts of a commit. */
export async function nextState(
  repository: Repository,
  commit: string,
  admitted: Admitted,
  { now, generation }: { now: Date; generation: number },
): Promise<NextState> {
  const { basis, acceptance, signer, endorsedBy, since, outstanding, held, learnt, returns, replacements } = admitted;
  const objects = new LooseObjects();
  const { tree: whole } = await repository.readCommit(commit);
  const write: Parameters<typeof replacePaths>[1] = (type, bytes) => objects.add(type, bytes);
  const tree = replacements.size === 0 ? whole : replacePaths(repository, write, whole, replacements);
  const remembered = {
    ...{ commit, tree, acceptedAt: now.toISOString(), generation, basis, held, outstanding, returns },
    ...(acceptance === undefined ? {} : { acceptance }),
    ...(signer === undefined ? {} : { signer }),
    ...(endorsedBy === undefined ? {} : { endorsedBy }),
    ...(since === undefined ? {} : { since }),
  };
  return { remembered, objects, learnt };
}

/** Whether people and projections would see no difference. */
export function isSameState(one: Remembered, other: Remembered): boolean {
  const seen = ({ commit, tree, held }: Remembered) =>
    JSON.stringify([commit, tree, held.map(({ path, aspect, commit: by, error }) => [path, aspect, by, error.code])]);
  return seen(one) === seen(other);
}
