/** What was opened, to be closed in the opposite order. */
export class Closing {
  readonly #closers: (() => Promise<void> | void)[] = [];

  /** Remembers how to close something, and gives it back. */
  add<Opened>(opened: Opened, close: (opened: Opened) => Promise<void> | void): Opened {
    this.#closers.push(() => close(opened));
    return opened;
  }

  /** Closes everything, also when something fails to; then throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
