import type { Key } from '../../project/namespaced-name.ts';

export interface RetryOptions {
  /** Milliseconds. */
  first: number;
  longest: number;
  /** From 0 to 1. */
  random?: () => number;
}

const RETRY: RetryOptions = { first: 1000, longest: 300_000 };

/** Of the wait: so that secrets that failed together are not tried together. */
const JITTER = 0.2;

/** When what the machine made fail is tried again: each failure doubles the wait of that secret. Times are milliseconds. */
export class Retries {
  readonly #options: RetryOptions;
  readonly #waiting = new Map<Key, { failures: number; due: number }>();

  constructor(options: RetryOptions = RETRY) {
    this.#options = options;
  }

  /** `most`: what kept it away is others' matter, too, and is mended for all at once: not longer than this. */
  failed(home: Key, now: number, most = Number.POSITIVE_INFINITY): void {
    const { first, longest, random = Math.random } = this.#options;
    const failures = (this.#waiting.get(home)?.failures ?? 0) + 1;
    const wait = Math.min(first * 2 ** (failures - 1), longest, most) * (1 - JITTER / 2 + JITTER * random());
    this.#waiting.set(home, { failures, due: now + wait });
  }

  /** It went well, or it is another manifest now: the next failure is the first again. */
  forget(home: Key): void {
    this.#waiting.delete(home);
  }

  /** Those whose wait is over. They stay until they are forgotten or fail again, and are not due in the meantime. */
  take(now: number): Key[] {
    const due: Key[] = [];
    for (const [home, row] of this.#waiting) {
      if (row.due > now) continue;
      row.due = Number.POSITIVE_INFINITY;
      due.push(home);
    }
    return due;
  }

  /** When the next wait is over; infinite where none waits. */
  get next(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { due } of this.#waiting.values()) next = Math.min(next, due);
    return next;
  }
}
