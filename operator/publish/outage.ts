import type { CofferError } from '../../core/errors.ts';

/** Milliseconds between tries. */
const TRY_AGAIN = 10_000;

/** The kind is not served as it should be: one request now and then finds out whether it is again, in the place of all. */
export class Outage {
  readonly #tryOne: () => void;
  readonly #isOver: () => void;
  #trouble: CofferError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #mayTryOne = false;

  constructor({ tryOne, isOver }: { tryOne(): void; isOver(): void }) {
    this.#tryOne = tryOne;
    this.#isOver = isOver;
  }

  get trouble(): CofferError | undefined {
    return this.#trouble;
  }

  /** To be asked before a request. */
  mayTry(): boolean {
    if (this.#trouble === undefined) return true;
    const may = this.#mayTryOne;
    this.#mayTryOne = false;
    return may;
  }

  began(trouble: CofferError): void {
    this.#trouble = trouble;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#mayTryOne = true;
      this.#tryOne();
    }, TRY_AGAIN);
  }

  ended(): void {
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.close();
    this.#isOver();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
