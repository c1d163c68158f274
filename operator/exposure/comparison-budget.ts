const DAY = 86_400_000;

/**
 * How often values may be compared with what one exposed entry once held. Whether they are the same is for all to see, so that who may
 * only write an entry could seal one guess after the other, and read of each whether it was right. Counted by a clock that nobody sets,
 * in memory: somebody who can have the operator started anew need not guess.
 */
export class ComparisonBudget {
  readonly #most: number;
  readonly #now: () => number;
  /** Entry → when it was compared in the last day, oldest first. */
  readonly #times = new Map<string, number[]>();
  /** Of entries that were refused: when they may be compared again. */
  #freeAt = Number.POSITIVE_INFINITY;

  /** @param most a day, for each entry @param now milliseconds */
  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#now = now;
  }

  /** Whether one more value may be compared with what this entry held; it counts then. */
  take(entry: string): boolean {
    const now = this.#now();
    const times = (this.#times.get(entry) ?? []).filter((time) => now - time < DAY);
    const [oldest = now] = times;
    const isFree = times.length < this.#most;
    if (isFree) times.push(now);
    else this.#freeAt = Math.min(this.#freeAt, oldest + DAY);
    this.#times.set(entry, times);
    return isFree;
  }

  /** Whether something was refused that may be compared by now; it is asked about once. */
  isFreeAgain(): boolean {
    const now = this.#now();
    if (now < this.#freeAt) return false;
    this.#freeAt = Number.POSITIVE_INFINITY;
    for (const [entry, times] of this.#times) if (now - (times.at(-1) ?? 0) >= DAY) this.#times.delete(entry);
    return true;
  }
}
