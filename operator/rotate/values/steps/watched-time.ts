/** Milliseconds in which this process was looking on, by a clock that nobody sets (time in which it did not run counts for nothing). */
export class WatchedTime {
  readonly #clock: () => number;
  readonly #last = new Map<string, number>();

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Since the last call for this id; 0 at the first. */
  elapsed(id: string): number {
    const now = this.#clock();
    const last = this.#last.get(id) ?? now;
    this.#last.set(id, now);
    return now - last;
  }

  forget(id: string): void {
    this.#last.delete(id);
  }
}
