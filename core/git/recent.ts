/** Values that were used last, up to a sum of their sizes; the oldest go first. */
export class Recent<Key, Value> {
  readonly #most: number;
  readonly #sizeOf: (value: Value) => number;
  readonly #kept = new Map<Key, Value>();
  #sum = 0;

  /** `most`: in bytes; what takes more than a quarter of that is not kept. */
  constructor(most: number, sizeOf: (value: Value) => number) {
    this.#most = most;
    this.#sizeOf = sizeOf;
  }

  get(key: Key): Value | undefined {
    const value = this.#kept.get(key);
    if (value === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, value);
    return value;
  }

  put(key: Key, value: Value): void {
    this.#remove(key);
    const size = this.#sizeOf(value);
    if (size > this.#most / 4) return;
    this.#kept.set(key, value);
    this.#sum += size;
    for (const oldest of this.#kept.keys()) {
      if (this.#sum <= this.#most) return;
      this.#remove(oldest);
    }
  }

  clear(): void {
    this.#kept.clear();
    this.#sum = 0;
  }

  #remove(key: Key): void {
    const value = this.#kept.get(key);
    if (value === undefined) return;
    this.#kept.delete(key);
    this.#sum -= this.#sizeOf(value);
  }
}
