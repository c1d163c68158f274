const PATIENCE_MS = 1000;
const INTERVAL_MS = 100;

/** A line on a terminal for work that takes longer than a second; nothing in a pipe. */
export class Progress {
  readonly #total: number;
  readonly #unit: string;
  readonly #isShown = process.stderr.isTTY === true;
  #done = 0;
  #next = performance.now() + PATIENCE_MS;
  #isDrawn = false;

  constructor(total: number, unit: string) {
    this.#total = total;
    this.#unit = unit;
  }

  step(): void {
    this.#done += 1;
    if (!this.#isShown || performance.now() < this.#next) return;
    process.stderr.write(`\r${this.#done} of ${this.#total} ${this.#unit}`);
    this.#isDrawn = true;
    this.#next = performance.now() + INTERVAL_MS;
  }

  /** Takes the line away, before something else is written. */
  clear(): void {
    if (this.#isDrawn) process.stderr.write('\r\u001b[K');
    this.#isDrawn = false;
  }
}
