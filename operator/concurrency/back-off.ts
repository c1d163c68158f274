/** Waits that double from `first` to `most` milliseconds, each between half and the whole, so that many do not come at once. */
export class BackOff {
  readonly #first: number;
  readonly #most: number;
  #failures = 0;

  constructor(first: number, most: number) {
    this.#first = first;
    this.#most = most;
  }

  /** Milliseconds to wait after one more failure. */
  next(): number {
    const full = Math.min(this.#most, this.#first * 2 ** Math.min(this.#failures++, 30));
    return full * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
