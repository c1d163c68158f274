export interface RecentLimits {
  /** Of the sizes of all that is kept. */
  sum: number;
  /** What is larger is not kept; absent: `sum`. */
  each?: number;
  /** How many are kept; absent: any number. */
  count?: number;
}

/** Values that were used last, up to a sum of their sizes; the oldest go first. */
export class Recent<Key, Value> {
  readonly #limits: Required<RecentLimits>;
  readonly #sizeOf: (value: Value) => number;
  readonly #kept = new Map<Key, { value: Value; size: number }>();
  #sum = 0;

  constructor(limits: RecentLimits, sizeOf: (value: Value) => number) {
    this.#limits = { each: limits.sum, count: Number.POSITIVE_INFINITY, ...limits };
    this.#sizeOf = sizeOf;
  }

  get(key: Key): Value | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.value;
  }

  /** Of a value that is kept already, its size is taken anew. */
  put(key: Key, value: Value): void {
    this.#remove(key);
    const size = this.#sizeOf(value);
    const { sum, each, count } = this.#limits;
    if (size > each) return;
    this.#kept.set(key, { value, size });
    this.#sum += size;
    for (const oldest of this.#kept.keys()) {
      if (this.#sum <= sum && this.#kept.size <= count) return;
      this.#remove(oldest);
    }
  }

  clear(): void {
    this.#kept.clear();
    this.#sum = 0;
  }

  #remove(key: Key): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#sum -= kept.size;
  }
}
