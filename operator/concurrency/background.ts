/** Loops that run beside the pipeline. One that fails ends everything, and its error is the reason of `signal`. */
export class Background {
  /** The process is told to end, or a loop failed. */
  readonly signal: AbortSignal;
  readonly #failure = new AbortController();
  readonly #ending = new AbortController();
  readonly #loops: Promise<void>[] = [];

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#failure.signal]);
  }

  /** Runs a loop until the signal, or until `end`. */
  run(loop: (signal: AbortSignal) => Promise<void>): void {
    const ends = AbortSignal.any([this.signal, this.#ending.signal]);
    this.#loops.push(loop(ends).catch((error: unknown) => this.fail(error)));
  }

  /** Ends everything, for this reason. */
  fail(reason: unknown): void {
    this.#failure.abort(reason);
  }

  /** Ends the loops and waits for them. Throws what ended everything, if it failed. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#loops);
    this.#failure.signal.throwIfAborted();
  }
}
