import type { CofferError } from '../../../core/errors.ts';
import type { Projector } from '../../project/projector.ts';

/** Whether workloads are still to be told of a change. */
export class Notices {
  readonly #projectors: readonly Projector[];
  readonly #signal: AbortSignal | undefined;
  /** From the start: a run that was killed may have left some untold. */
  #isOwed = true;
  #errors: readonly CofferError[] = [];

  /** @param signal ends what tells them; those workloads stay owed, also over a restart */
  constructor(projectors: readonly Projector[], signal?: AbortSignal) {
    this.#projectors = projectors;
    this.#signal = signal;
  }

  /** What failed when the workloads were told last. */
  get errors(): readonly CofferError[] {
    return this.#errors;
  }

  owe(): void {
    this.#isOwed = true;
  }

  /** Tells the workloads, if anything is owed; what failed stays owed. */
  async tell(): Promise<void> {
    if (!this.#isOwed) return;
    // Before the call, because another batch may owe something while it runs.
    this.#isOwed = false;
    this.#errors = (await Promise.all(this.#projectors.map((projector) => projector.notify(this.#signal)))).flat();
    if (this.#errors.length > 0 || this.#signal?.aborted) this.#isOwed = true;
  }
}
