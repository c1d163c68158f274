interface OldSet {
  due: number;
  remove: () => void;
}

/**
 * Sets that were replaced. A reader may have read the link to one just before it was replaced, and looks the name up just
 * after: so each stays for a moment.
 */
export class OldSets {
  readonly #grace: number;
  #sets: OldSet[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `grace` in milliseconds; with 0 sets are removed at once. */
  constructor(grace: number) {
    this.#grace = grace;
  }

  /** `remove` must not throw. */
  add(remove: () => void): void {
    if (this.#grace === 0) {
      remove();
      return;
    }
    this.#sets.push({ due: performance.now() + this.#grace, remove });
    this.#timer ??= setTimeout(() => this.#removeDue(), this.#grace).unref();
  }

  /** Removes all that are left. */
  close(): void {
    clearTimeout(this.#timer);
    for (const { remove } of this.#sets) remove();
    this.#sets = [];
  }

  #removeDue(): void {
    this.#timer = undefined;
    const now = performance.now();
    const [due, later] = [this.#sets.filter((set) => set.due <= now), this.#sets.filter((set) => set.due > now)];
    this.#sets = later;
    for (const { remove } of due) remove();
    const [next] = later;
    if (next !== undefined) this.#timer = setTimeout(() => this.#removeDue(), next.due - now).unref();
  }
}
