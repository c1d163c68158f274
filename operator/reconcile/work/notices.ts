import type { CofferError } from '../../../core/errors.ts';
import type { Projector } from '../../project/projector.ts';

/** Whether workloads are still to be told of a change. */
export class Notices {
  readonly #projectors: readonly Projector[];
  /** From the start: a run that was killed may have left some untold. */
  #isOwed = true;
  #errors: readonly CofferError[] = [];

  constructor(projectors: readonly Projector[]) {
    this.#projectors = projectors;
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
    this.#errors = (await Promise.all(this.#projectors.map((projector) => projector.notify()))).flat();
    if (this.#errors.length > 0) this.#isOwed = true;
  }
}
