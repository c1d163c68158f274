import { pause } from '../concurrency/pause.ts';
import type { Key } from '../project/namespaced-name.ts';

/** Milliseconds to wait after the first of several reports: more usually follow, and all are looked at together. */
const GATHER = 20;
/**
 * Milliseconds to wait after the report that an object is gone: whoever deletes many does it one after the other, and the brake
 * has to see them together.
 */
const GATHER_GONE = 2000;
/** Milliseconds between looks at least, when only back-offs end. */
const REST = 250;

/** What the cluster reported between two looks. */
export interface Reports {
  objects: ReadonlySet<Key>;
  mirrors: ReadonlySet<Key>;
  areNamespacesOthers: boolean;
}

/** Collects what the cluster reports, and says when it is time to look. */
export class Wakes {
  #objects = new Set<Key>();
  #mirrors = new Set<Key>();
  #areNamespacesOthers = false;
  /** By `performance.now()`. */
  #due = Number.POSITIVE_INFINITY;
  #isSooner = new AbortController();

  object(key: Key, isGone: boolean): void {
    this.#objects.add(key);
    this.within(isGone ? GATHER_GONE : GATHER);
  }

  mirror(home: Key): void {
    this.#mirrors.add(home);
    this.within(GATHER);
  }

  namespaces(): void {
    this.#areNamespacesOthers = true;
    this.within(GATHER);
  }

  /** A look is due in so many milliseconds, if not before. */
  within(milliseconds: number): void {
    const due = performance.now() + milliseconds;
    if (due >= this.#due) return;
    this.#due = due;
    this.#isSooner.abort();
  }

  /** The same at a time (by `performance.now()`) at which a back-off is over. */
  at(time: number): void {
    this.within(Math.max(time - performance.now(), REST));
  }

  /** Resolves when a look is due, or at the signal. */
  async wait(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const rest = this.#due - performance.now();
      if (rest <= 0) return;
      this.#isSooner = new AbortController();
      await pause(rest, AbortSignal.any([signal, this.#isSooner.signal]));
    }
  }

  take(): Reports {
    const reports = { objects: this.#objects, mirrors: this.#mirrors, areNamespacesOthers: this.#areNamespacesOthers };
    this.#objects = new Set();
    this.#mirrors = new Set();
    this.#areNamespacesOthers = false;
    this.#due = Number.POSITIVE_INFINITY;
    return reports;
  }
}
