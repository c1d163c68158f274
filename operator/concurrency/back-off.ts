import { setTimeout } from 'node:timers/promises';

/** Waits that double from `first` to `most` milliseconds, each between half and the whole, so that many do not come at once. */
export class BackOff {
  readonly #first: number;
  readonly #most: number;
  #failures = 0;

  constructor(first: number, most: number) {
    this.#first = first;
    this.#most = most;
  }

  /** Milliseconds to wait after one more failure. */
  next(): number {
    const full = Math.min(this.#most, this.#first * 2 ** Math.min(this.#failures++, 30));
    return full * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Resolves after so many milliseconds, or at the signal: `false`. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return false;
    throw error;
  }
}
