import { LONGEST_TIMER } from '../../core/duration.ts';

/** A limit on time that can stand still, for what the one that is limited cannot help. */
export class TimeLimit {
  readonly #ending = new AbortController();
  /** Milliseconds, when the timer was set. */
  #left: number;
  #setAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.#left = milliseconds;
    this.#goOn();
  }

  /** Aborted when the time is over, with the reason that AbortSignal.timeout gives. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** What passes until `event` does not count. For one event at a time. */
  async standStill<T>(event: Promise<T>): Promise<T> {
    this.end();
    this.#left -= performance.now() - this.#setAt;
    try {
      return await event;
    } finally {
      this.#goOn();
    }
  }

  /** Nobody asks any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #goOn(): void {
    this.#setAt = performance.now();
    const timeout = () =>
      this.#ending.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    this.#timer = setTimeout(timeout, Math.min(this.#left, LONGEST_TIMER));
    this.#timer.unref();
  }
}
