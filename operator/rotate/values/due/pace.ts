/**
 * How many secrets may begin within a time, by a clock that nobody sets, for no other reason than their age: a clock that jumps makes
 * everything due at once.
 */
export class Pace {
  readonly #most: number;
  readonly #within: number;
  readonly #clock: () => number;
  /** Name → when it began last. */
  readonly #begun = new Map<string, number>();
  /** Name → how many turns there had been with its own, that one too. */
  readonly #turns = new Map<string, number>();
  #count = 0;

  /** @param within in milliseconds */
  constructor(most: number, within: number, clock: () => number = () => performance.now()) {
    this.#most = most;
    this.#within = within;
    this.#clock = clock;
  }

  /** Whether this one may begin now; then it counts, once however often it comes within the time. */
  take(name: string): boolean {
    const now = this.#clock();
    for (const [one, time] of this.#begun) if (now - time >= this.#within) this.#begun.delete(one);
    const hasPlace = this.#begun.has(name);
    if (!hasPlace && this.#begun.size >= this.#most) return false;
    if (!hasPlace) this.#begun.set(name, now);
    this.#turns.set(name, ++this.#count);
    return true;
  }

  /** It could not begin: its place is another's. */
  giveBack(name: string): void {
    this.#begun.delete(name);
  }

  /** The longer ago its last turn was, the less; 0: it had none. */
  lastTurn(name: string): number {
    return this.#turns.get(name) ?? 0;
  }

  /** Forgets the turns, not the places, of what does not want to begin any more. */
  forgetAllBut(names: ReadonlySet<string>): void {
    for (const name of this.#turns.keys()) if (!names.has(name)) this.#turns.delete(name);
  }
}
