import { LONGEST_TIMER } from '../../core/duration.ts';
import { CofferError } from '../../core/errors.ts';
import { SourceFault } from './remote/faults.ts';
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
  failed(error: unknown): Promise<void> | void;
  /** From 0 to 1. */
  random?: () => number;
}

/** Each failure doubles the wait, up to this many intervals. */
const LONGEST_BACK_OFF = 16;
/** Of the wait: so that operators that started together do not ask together. */
const JITTER = 0.2;
/** Milliseconds between a look that a wake caused, or that failed, and the next: wakes must not flood the source. */
const GAP = 1000;

/** Looks at a source again and again: at its interval with jitter, after failures with back-off and not before the server wants it, when woken soon. */
export class Poll {
  readonly #source: Source;
  readonly #options: PollOptions;
  #isWoken = false;
  #endWait: (() => void) | undefined;

  constructor(source: Source, options: PollOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** Looks now, or a second after the last look if that was woken or failed; where it is looking, once more after that. */
  wake(): void {
    this.#isWoken = true;
    this.#endWait?.();
  }

  /** Resolves when the signal ended it. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      const wasWoken = this.#isWoken;
      this.#isWoken = false;
      const outcome = await this.#lookOnce();
      failures = outcome.isGood ? 0 : failures + 1;
      // A server that asked for rest gets it, whoever wakes; spread, for it told the same to others.
      const asked = Math.round(outcome.retryAfter * (1 + JITTER * this.#random()));
      const pause = Math.max(this.#pause(failures), asked);
      const rest = wasWoken || failures > 0 ? Math.max(Math.min(GAP, pause), asked) : 0;
      await this.#wait(rest);
      if (!this.#isWoken)
        await this.#wait(pause - rest, (end) => {
          this.#endWait = end;
        });
      this.#endWait = undefined;
    }
  }

  /** `retryAfter`: milliseconds in which the server wants no other look. */
  async #lookOnce(): Promise<{ isGood: boolean; retryAfter: number }> {
    const { signal, accepted, unchanged, failed } = this.#options;
    try {
      const state = await this.#source.poll(signal);
      await (state === 'unchanged' ? unchanged() : accepted(state));
      return { isGood: true, retryAfter: 0 };
    } catch (error) {
      if (!signal.aborted) await failed(error);
      // What waits for a commit or a person has to be seen as soon as it is there, and the server did answer.
      const isGood = error instanceof CofferError && error.loop === 'wait';
      return { isGood, retryAfter: error instanceof SourceFault ? (error.retryAfter ?? 0) : 0 };
    }
  }

  #random(): number {
    return (this.#options.random ?? Math.random)();
  }

  /** In milliseconds. */
  #pause(failures: number): number {
    const { interval } = this.#options;
    const wait = interval * Math.min(2 ** failures, LONGEST_BACK_OFF) * (1 - JITTER / 2 + JITTER * this.#random());
    return Math.min(wait, LONGEST_TIMER);
  }

  /** Until the time is over or the signal comes, or `end` is called where `onEnd` was given it. */
  async #wait(milliseconds: number, onEnd?: (end: () => void) => void): Promise<void> {
    const { signal } = this.#options;
    if (milliseconds <= 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    const end = () => resolve();
    signal.addEventListener('abort', end, { once: true });
    onEnd?.(end);
    await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}
