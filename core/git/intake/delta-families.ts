/** Deltas that wait for their base: by its number where that is known, else by its name. */
export class DeltaFamilies {
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  readonly #named = new Map<string, number>();

  constructor(capacity: number) {
    this.#first = new Int32Array(capacity).fill(-1);
    this.#next = new Int32Array(capacity).fill(-1);
  }

  waitFor(base: number, delta: number): void {
    this.#next[delta] = this.#first[base] ?? -1;
    this.#first[base] = delta;
  }

  waitForName(oid: string, delta: number): void {
    this.#next[delta] = this.#named.get(oid) ?? -1;
    this.#named.set(oid, delta);
  }

  /** Those that waited for this base; they wait no more. */
  take(base: number, oid: string): number[] {
    const taken: number[] = [];
    for (let delta = this.#first[base] ?? -1; delta >= 0; delta = this.#next[delta] ?? -1) taken.push(delta);
    for (let delta = this.#named.get(oid) ?? -1; delta >= 0; delta = this.#next[delta] ?? -1) taken.push(delta);
    this.#first[base] = -1;
    this.#named.delete(oid);
    return taken;
  }

  isWaitedFor(base: number, oid: () => string): boolean {
    return (this.#first[base] ?? -1) >= 0 || (this.#named.size > 0 && this.#named.has(oid()));
  }

  has(oid: string): boolean {
    return this.#named.has(oid);
  }

  /** The names of bases that something waits for. */
  names(): string[] {
    return [...this.#named.keys()];
  }
}
