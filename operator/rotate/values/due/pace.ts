/**
 * How many secrets may begin within a time, by a clock that nobody sets, for no other reason than their age: a clock that jumps makes
 * everything due at once.
 */
export class Pace {
  readonly #most: number;
  readonly #within: number;
  readonly #clock: () => number;
  /** Name → when it began last. */
  readonly #begun = new Map<string, number>();

  /** @param within in milliseconds */
  constructor(most: number, within: number, clock: () => number = () => performance.now()) {
    this.#most = most;
    this.#within = within;
    this.#clock = clock;
  }

  /** Whether this one may begin now; then it counts, once however often it comes. */
  take(name: string): boolean {
    const now = this.#clock();
    for (const [one, time] of this.#begun) if (now - time >= this.#within) this.#begun.delete(one);
    if (!this.#begun.has(name) && this.#begun.size >= this.#most) return false;
    this.#begun.set(name, now);
    return true;
  }
}
