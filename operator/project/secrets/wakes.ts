/** Node fires a timer that is set for longer at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Calls back at certain times: one for each key, the last that was named. */
export class Wakes {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #now: () => number;
  readonly #wake: (key: string) => void;

  constructor(now: () => number, wake: (key: string) => void) {
    this.#now = now;
    this.#wake = wake;
  }

  /** Milliseconds since the epoch. */
  at(time: number, key: string): void {
    clearTimeout(this.#timers.get(key));
    const wake = () => {
      this.#timers.delete(key);
      this.#wake(key);
    };
    this.#timers.set(key, setTimeout(wake, Math.min(Math.max(time - this.#now(), 0), LONGEST_TIMER)).unref());
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
