import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import { LatestWork } from '../concurrency/latest-work.ts';
import type { Chore } from './chore.ts';

/**
 * A chore whose look only begins the work, since a repository may be large and a server slow: nothing that is projected waits for it. It
 * looks at everything anew, once at a time.
 */
export abstract class BackgroundChore implements Chore {
  readonly #work = new LatestWork((signal) => this.#run(signal));
  #troubles: readonly CofferError[] = [];

  /** Rejects with a mistake of ours that the work before made. */
  async look(): Promise<void> {
    this.#work.ask();
  }

  /** What stood in the way when the last work ended. */
  troubles(): readonly CofferError[] {
    return this.#troubles;
  }

  settled(): Promise<void> {
    return this.#work.settled();
  }

  /** Ends the work by its signal, and waits for that. */
  close(): Promise<void> {
    return this.#work.close();
  }

  /** Returns what stands in the way; a CofferError that it throws is all that does. */
  protected abstract work(signal: AbortSignal): Promise<readonly CofferError[]>;

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await sodiumReady();
      this.#troubles = await this.work(signal);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      if (!signal.aborted) this.#troubles = [error];
    }
  }
}
