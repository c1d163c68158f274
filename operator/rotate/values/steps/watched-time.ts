/** Milliseconds in which this process was looking on, by a clock that nobody sets (time in which it did not run counts for nothing). */
export class WatchedTime {
  readonly #clock: () => number;
  readonly #since = new Map<string, number>();

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Since it was asked first for this id, or restarted. */
  of(id: string): number {
    const since = this.#since.get(id);
    if (since === undefined) this.restart(id);
    return since === undefined ? 0 : this.#clock() - since;
  }

  restart(id: string): void {
    this.#since.set(id, this.#clock());
  }

  forget(id: string): void {
    this.#since.delete(id);
  }
}
