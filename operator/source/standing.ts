import { CofferError } from '../../core/errors.ts';
import { isAncestor } from '../../core/git/commits/commit-walk.ts';
import { type Floor, type Floors, standsFor } from '../trust/floors.ts';
import type { Memory, Remembered } from '../trust/memory.ts';
import type { Clone } from './clone/clone.ts';

/** When an earlier version accepted something, which did not remember it. */
export const LONG_AGO = new Date(0).toISOString();
/** The generation of a state of which it was lost what was held back. */
export const UNKNOWN = -1;

export interface StandingParts {
  id: string;
  address: string;
  follows: string;
  path: string;
  clone: Clone;
  memory: Memory;
  floors: Floors;
}

/** What a source accepted last, as the clone, the file beside it and the floors have it. */
export class Standing {
  readonly #parts: StandingParts;

  constructor(parts: StandingParts) {
    this.#parts = parts;
  }

  /**
   * What the clone's ref names. Where nothing was ever remembered an earlier version accepted it, and took all of it; where it was and is
   * not any more (a file was lost), its generation is UNKNOWN: what of it counts is to be found out again.
   */
  async former(): Promise<Remembered | undefined> {
    const { id, clone, memory, floors } = this.#parts;
    const commit = await clone.accepted();
    if (commit === undefined) return undefined;
    const known = memory.of(commit);
    if (known !== undefined) return known;
    const isEarlier = memory.isEmpty && floors.of(id) === undefined;
    const { tree } = await clone.repository.readCommit(commit);
    return {
      ...{ commit, tree, acceptedAt: LONG_AGO, generation: isEarlier ? 0 : UNKNOWN, since: commit },
      ...{ basis: 'unsigned', outstanding: [], held: [], returns: [] },
    };
  }

  /** Whether this state is not in the audit log. */
  isOwed(state: Remembered): boolean {
    const { memory } = this.#parts;
    return memory.of(state.commit) !== undefined && !memory.isTold(state);
  }

  /**
   * What counts instead of the clone's own state, where the cluster (or the state directory, beside a clone that is lost) knows of a
   * later one. One that the clone's own descends from is never later, whatever its generation says. Throws `TRUST_MEMORY_DAMAGED`.
   */
  async ahead(former: Remembered | undefined): Promise<Floor | undefined> {
    const { id, clone, floors } = this.#parts;
    const { repository, directory } = clone;
    const floor = floors.of(id);
    if (former === undefined) return floor;
    if (floor === undefined) {
      if (former.generation === UNKNOWN) throw lost(directory);
      return undefined;
    }
    if (former.generation === UNKNOWN) return floor;
    if (floor.commit === former.commit) return floor.generation > former.generation ? floor : undefined;
    if (floor.generation < former.generation) return undefined;
    const isThere = repository.objects.has(floor.commit);
    return isThere && (await isAncestor(repository, floor.commit, former.commit)) ? undefined : floor;
  }

  /** Has the floors have this state: also where a run that was killed, or an earlier version, accepted it and did not get to tell. */
  async keep(state: Remembered): Promise<void> {
    const { id, address, path, follows, clone, floors, memory } = this.#parts;
    const { commit, tree, basis, outstanding, acceptedAt, held } = state;
    const known = floors.of(id);
    // What this state descends from, or nobody made, is not to count as later.
    const isPassed = known !== undefined && known.commit !== commit && known.generation >= state.generation;
    const generation = isPassed ? known.generation + 1 : state.generation;
    if (isPassed) await memory.note({ ...state, generation }, commit);
    if (floors.isKept({ source: id, commit, generation })) return floors.settle();
    const stands = await standsFor(clone.repository, tree, held);
    const place = { source: id, address, follows, path };
    await floors.keep({ ...place, commit, basis, outstanding, held: stands, time: acceptedAt, generation });
  }
}

function lost(folder: string): CofferError {
  return new CofferError('TRUST_MEMORY_DAMAGED', 'What was remembered beside the accepted commit is gone.', {
    advice:
      'Restore the state directory; or remove this folder and accept a commit with `coffer-operator accept COMMIT`.',
    data: { file: folder },
  });
}
