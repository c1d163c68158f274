import type { CofferError } from '../../core/errors.ts';

/** The kind is not served as it should be: one request now and then finds out whether it is again, in the place of all. */
export class Outage {
  readonly #tryOne: () => void;
  readonly #isOver: () => void;
  readonly #pause: number;
  #trouble: CofferError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #mayTryOne = false;

  /** @param pause milliseconds between tries */
  constructor(pause: number, { tryOne, isOver }: { tryOne(): void; isOver(): void }) {
    this.#pause = pause;
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
    }, this.#pause);
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
