import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work after which the event loop gets its turn: probes are answered while a pack is taken. */
const TURN = 10;

export class Turns {
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** To be awaited after each step where it is a promise. Rejects with the reason of the signal. */
  next(): Promise<void> | undefined {
    return performance.now() - this.#since < TURN ? undefined : this.#take();
  }

  async #take(): Promise<void> {
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#since = performance.now();
  }
}
