/** Work that may be asked for at any time and is done one piece after the other. */
export class SerialQueue {
  #last: Promise<void> = Promise.resolve();

  /** Runs `work` when all that was asked for before has ended, failed or not. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.then(
      () => {},
      () => {},
    );
    return turn;
  }

  /** Resolves when what was asked for so far has ended. */
  ended(): Promise<void> {
    return this.#last;
  }
}
