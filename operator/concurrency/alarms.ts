import { LONGEST_TIMER } from '../../core/duration.ts';

/** Calls back at certain times: one for each key, the last that was named. */
export class Alarms {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #now: () => number;
  readonly #ring: (key: string) => void;

  constructor(now: () => number, ring: (key: string) => void) {
    this.#now = now;
    this.#ring = ring;
  }

  /** Milliseconds since the epoch. */
  at(time: number, key: string): void {
    clearTimeout(this.#timers.get(key));
    const ring = () => {
      this.#timers.delete(key);
      // Timers run by another clock, which cuts off parts of milliseconds; and that of the wall may be set back.
      if (this.#now() < time) this.at(time, key);
      else this.#ring(key);
    };
    this.#timers.set(key, setTimeout(ring, Math.min(Math.max(time - this.#now(), 0), LONGEST_TIMER)).unref());
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
