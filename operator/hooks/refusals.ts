import type { Log } from '../process/log.ts';

/** Milliseconds between lines about refused requests: whoever floods must not fill the log. */
const GAP = 60_000;

/** Says in the log that requests are refused: at once, then what came together at most once a minute. */
export class Refusals {
  readonly #log: Log;
  readonly #now: () => number;
  #saidAt = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** `now`: monotonic milliseconds. */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  add(address: string, reason: string): void {
    this.#count++;
    if (this.#now() - this.#saidAt < GAP) return;
    this.#saidAt = this.#now();
    this.#log.warn(`refused ${this.#count} requests to the webhooks, the last: ${reason}`, { address });
    this.#count = 0;
  }
}
