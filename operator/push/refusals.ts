import { CofferError } from '../../core/errors.ts';
import { isSame, type Proposal } from '../../core/rotation/proposal.ts';

/**
 * What only a person ends, or a look of the source that accepts another commit: each try would send all of it again, at every look;
 * and where the branch is one that trust refuses, each would ask for one more look, a second later, for ever.
 */
const LASTING = new Set(['PUSH_WAITS', 'PUSH_REJECTED', 'PUSH_FORBIDDEN']);
/** Milliseconds: after a first refusal, and at most. */
const FIRST = 30_000;
const MOST = 600_000;

interface Refusal {
  proposal: Proposal;
  /** Upon which it was to go. */
  commit: string;
  error: CofferError;
  until: number;
  pause: number;
}

/** Pushes that a server refused, and until when the same is not tried again. */
export class Refusals {
  readonly #now: () => Date;
  /** By id of the proposal. */
  readonly #known = new Map<string, Refusal>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Throws what was thrown for the same before, while that is fresh. */
  async during<Result>(proposal: Proposal, commit: string, work: () => Promise<Result>): Promise<Result> {
    const known = this.#known.get(proposal.id);
    const now = this.#now().getTime();
    // A clock that was set back must not make it wait for ever.
    const isFresh = known !== undefined && now < known.until && now > known.until - 2 * MOST;
    if (isFresh && known.commit === commit && isSame(known.proposal, proposal)) throw known.error;
    try {
      const result = await work();
      this.#known.delete(proposal.id);
      return result;
    } catch (error) {
      if (error instanceof CofferError && LASTING.has(error.code)) {
        const pause = known === undefined ? FIRST : Math.min(2 * known.pause, MOST);
        this.#known.set(proposal.id, { proposal, commit, error, until: now + pause, pause });
      }
      throw error;
    }
  }
}
