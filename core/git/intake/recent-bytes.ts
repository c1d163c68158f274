/** The bytes that were used last, up to a sum; the oldest go first. */
export class RecentBytes {
  readonly #most: number;
  readonly #kept = new Map<number, Buffer>();
  #sum = 0;

  /** `most`: in bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  get(number: number): Buffer | undefined {
    const bytes = this.#kept.get(number);
    if (bytes === undefined) return undefined;
    this.#kept.delete(number);
    this.#kept.set(number, bytes);
    return bytes;
  }

  put(number: number, bytes: Buffer): void {
    if (bytes.length > this.#most / 2) return;
    this.#sum += bytes.length - (this.#kept.get(number)?.length ?? 0);
    this.#kept.delete(number);
    this.#kept.set(number, bytes);
    for (const [oldest, { length }] of this.#kept) {
      if (this.#sum <= this.#most) return;
      this.#kept.delete(oldest);
      this.#sum -= length;
    }
  }
}
