/** At most so many callers are told apart; who comes beyond that displaces the one that was silent longest. */
const CALLERS = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** Token buckets: each caller may do `burst` requests at once and `perSecond` in the long run. */
export class RequestRate {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** `now`: monotonic milliseconds. */
  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
  }

  /** Whether the caller may go on; counts the request if so, as so many as it costs. */
  admits(caller: string, cost = 1): boolean {
    const at = this.#now();
    const before = this.#buckets.get(caller);
    const refilled = before === undefined ? this.#burst : before.tokens + ((at - before.at) / 1000) * this.#perSecond;
    const tokens = Math.min(this.#burst, refilled);
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { tokens: tokens >= cost ? tokens - cost : tokens, at });
    for (const longest of this.#buckets.keys()) {
      if (this.#buckets.size <= CALLERS) break;
      this.#buckets.delete(longest);
    }
    return tokens >= cost;
  }
}
