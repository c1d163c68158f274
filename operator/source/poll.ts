import { Bug } from '../../core/errors.ts';
import type { Accepted, Source } from './source.ts';

export interface PollOptions {
  /** Milliseconds between polls, before jitter. */
  interval: number;
  /** Ends the loop. */
  signal: AbortSignal;
  /** Awaited before the next poll. */
  accepted(state: Accepted): Promise<void>;
  /** A poll that changed nothing and one that failed; the loop goes on. */
  unchanged?(): Promise<void> | void;
  failed(error: unknown): Promise<void> | void;
  random?: () => number;
}

/** Looks at a source again and again: at its interval with jitter, after failures with back-off, at once when woken. */
export class Poll {
  constructor(_source: Source, _options: PollOptions) {}

  /** Looks now, or once more when it is looking already. */
  wake(): void {
    throw new Bug('not written yet');
  }

  /** Resolves when the signal ended it. */
  async run(): Promise<void> {
    throw new Bug('not written yet');
  }
}
