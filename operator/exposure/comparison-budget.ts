const DAY = 86_400_000;

/**
 * How often values may be compared with what one exposed entry once held. Whether they are the same is for all to see, so that who may
 * only write an entry could seal one guess after the other, and read of each whether it was right. Counted by a clock that nobody sets,
 * in memory: somebody who can have the operator started anew need not guess.
 */
export class ComparisonBudget {
  readonly #most: number;
  readonly #now: () => number;
  /** Entry → value → when they were compared first in the last day, oldest first. */
  readonly #times = new Map<string, Map<string, number>>();
  /** Of entries that were refused: when they may be compared again. */
  #freeAt = Number.POSITIVE_INFINITY;

  /** @param most a day, for each entry @param now milliseconds */
  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#now = now;
  }

  /**
   * Whether this value may be compared with what the entry held. The same one once more (a comparison that failed is tried again) is no
   * other guess. @param value the digest of its text
   */
  allows(entry: string, value: string): boolean {
    const times = this.#today(entry);
    if (times.has(value) || times.size < this.#most) return true;
    const [oldest = this.#now()] = times.values();
    this.#freeAt = Math.min(this.#freeAt, oldest + DAY);
    return false;
  }

  /** They are compared now: with however many former values of the entry, that is one guess. */
  count(entry: string, value: string): void {
    const times = this.#today(entry);
    if (!times.has(value)) this.#times.set(entry, times.set(value, this.#now()));
  }

  /** Whether something was refused that may be compared by now; it is asked about once. */
  isFreeAgain(): boolean {
    const now = this.#now();
    if (now < this.#freeAt) return false;
    this.#freeAt = Number.POSITIVE_INFINITY;
    for (const entry of this.#times.keys()) if (this.#today(entry).size === 0) this.#times.delete(entry);
    return true;
  }

  #today(entry: string): Map<string, number> {
    const now = this.#now();
    return new Map([...(this.#times.get(entry) ?? [])].filter(([, time]) => now - time < DAY));
  }
}
