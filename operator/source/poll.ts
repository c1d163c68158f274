import { LONGEST_TIMER } from '../../core/duration.ts';
import type { Accepted, Source } from './source.ts';

export interface PollOptions {
  /** Milliseconds between polls, before jitter. */
  interval: number;
  /** Ends the loop. */
  signal: AbortSignal;
  /** Awaited before the next poll. */
  accepted(state: Accepted): Promise<void>;
  /** After a poll that found nothing new. */
  unchanged(): Promise<void>;
  /** After a poll, or what was done with its state, that failed; the loop goes on. */
  failed(error: unknown): void;
  /** From 0 to 1. */
  random?: () => number;
}

/** Each failure doubles the wait, up to this many intervals. */
const LONGEST_BACK_OFF = 16;
/** Of the wait: so that operators that started together do not ask together. */
const JITTER = 0.2;

/** Looks at a source again and again: at its interval with jitter, after failures with back-off, at once when woken. */
export class Poll {
  readonly #source: Source;
  readonly #options: PollOptions;
  #isWoken = false;
  #endWait: (() => void) | undefined;

  constructor(source: Source, options: PollOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** Looks now; where it is looking already, once more after that. */
  wake(): void {
    this.#isWoken = true;
    this.#endWait?.();
  }

  /** Resolves when the signal ended it. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      this.#isWoken = false;
      failures = (await this.#lookOnce()) ? 0 : failures + 1;
      if (!signal.aborted) await this.#wait(this.#pause(failures));
    }
  }

  async #lookOnce(): Promise<boolean> {
    const { signal, accepted, unchanged, failed } = this.#options;
    try {
      const state = await this.#source.poll(signal);
      await (state === 'unchanged' ? unchanged() : accepted(state));
      return true;
    } catch (error) {
      if (!signal.aborted) failed(error);
      return false;
    }
  }

  /** In milliseconds. */
  #pause(failures: number): number {
    const { interval, random = Math.random } = this.#options;
    const wait = interval * Math.min(2 ** failures, LONGEST_BACK_OFF) * (1 - JITTER / 2 + JITTER * random());
    return Math.min(wait, LONGEST_TIMER);
  }

  async #wait(milliseconds: number): Promise<void> {
    if (this.#isWoken) return;
    const { signal } = this.#options;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener('abort', this.#endWait, { once: true });
    });
    if (this.#endWait !== undefined) signal.removeEventListener('abort', this.#endWait);
    this.#endWait = undefined;
  }
}
