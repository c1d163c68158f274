/**
 * Work that is asked for again and again and that looks at everything anew: it runs once at a time, and once more where it was asked for
 * meanwhile. Who asks does not wait for it.
 */
export class LatestWork {
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  #isAsked = false;
  #failure: { error: unknown } | undefined;

  constructor(work: (signal: AbortSignal) => Promise<void>) {
    this.#work = work;
  }

  /** Throws what the work has thrown since it was asked for last. */
  ask(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    this.#isAsked = true;
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Ends it by its signal, and waits for that. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    // Whoever asked goes on first.
    await Promise.resolve();
    while (this.#isAsked && !signal.aborted) {
      this.#isAsked = false;
      try {
        await this.#work(signal);
      } catch (error) {
        if (!signal.aborted) this.#failure = { error };
      }
    }
    this.#running = undefined;
  }
}
