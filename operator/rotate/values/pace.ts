/** How many of what is only old may begin within a time by a clock that nobody sets: one that jumps makes everything due at once. */
export class Pace {
  readonly #most: number;
  readonly #within: number;
  readonly #clock: () => number;
  #begun: number[] = [];

  /** @param within in milliseconds */
  constructor(most: number, within: number, clock: () => number = () => performance.now()) {
    this.#most = most;
    this.#within = within;
    this.#clock = clock;
  }

  /** Whether one more may begin now; then it counts. */
  take(): boolean {
    const now = this.#clock();
    this.#begun = this.#begun.filter((time) => now - time < this.#within);
    if (this.#begun.length >= this.#most) return false;
    this.#begun.push(now);
    return true;
  }
}
