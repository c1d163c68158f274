import { getHeapStatistics } from 'node:v8';
import { CofferError } from '../errors.ts';

/** The rest is for the manifests of all sources, and for what is not counted here. */
const SHARE = 0.5;
/** Bytes that things take beside the texts that are in them (measured). */
const CHANGE = 480;
export const WEIGHTS = {
  commit: 300,
  /** An aspect that was changed, and more where something is wrong with it. */
  state: 160,
  fault: 1024,
  /** An entry that is back at a text which it had. */
  returned: 512,
  /** What was sealed, as it is gathered and as it is learnt. */
  sealed: 96,
} as const;

/** Bytes that judging one head may hold: half of node's heap, which is half of what a container may take. */
function mostHeld(): number {
  return getHeapStatistics().heap_size_limit * SHARE;
}

/**
 * What judging one head holds in memory, estimated: the changes of one commit at a time, and for all commits what is wrong and
 * what is learnt. Whoever pushes chooses how much that is, and a value costs some bytes to send, as does a text of a megabyte.
 */
export class Holding {
  readonly #most: number;
  #commit = '';
  #changes = 0;
  #ofCommit = 0;
  #lasting = 0;

  constructor(most: number = mostHeld()) {
    this.#most = most;
  }

  /** From here on it is this commit's; what was held of the one before is let go. */
  begin(commit: string): void {
    this.#commit = commit;
    this.#changes = 0;
    this.#ofCommit = 0;
  }

  /** A change of one aspect, with texts and names of this length, until the next commit. Throws `TRUST_CHANGES_TOO_LARGE`. */
  change(length: number): void {
    this.#changes++;
    this.#ofCommit += CHANGE + length;
    this.#check();
  }

  /** Until all is judged. Throws `TRUST_CHANGES_TOO_LARGE`. */
  keep(bytes: number): void {
    this.#lasting += bytes;
    this.#check();
  }

  #check(): void {
    if (this.#ofCommit + this.#lasting > this.#most) throw changesTooLarge(this.#commit, this.#changes, this.#most);
  }
}

function changesTooLarge(commit: string, changes: number, most: number): CofferError {
  const limit = most < 2 ** 20 ? `${most} bytes` : `${Math.floor(most / 2 ** 20)} MiB`;
  const own = `${changes.toLocaleString('en')} values, stanzas and fields of it are read`;
  return new CofferError(
    'TRUST_CHANGES_TOO_LARGE',
    `with the commit ${commit.slice(0, 12)}, what changed since the accepted commit takes more than ${limit} to judge (${own})`,
    {
      advice:
        'If it is meant, give the operator more memory, push it in several commits one after the other, or accept the commit with `coffer-operator accept`; else find out who pushed it, and take it out of the branch: to revert or endorse it does not help.',
      data: { commit },
    },
  );
}
