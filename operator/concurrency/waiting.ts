/** Names that wait for somebody's work, each once. */
export class Waiting {
  readonly #names = new Set<string>();
  #wake = Promise.withResolvers<void>();

  add(name: string): void {
    this.#names.add(name);
    this.#wake.resolve();
  }

  /** Resolves when there are any; then they are no longer here. Empty at the signal. */
  async take(signal: AbortSignal): Promise<string[]> {
    const ended = Promise.withResolvers<void>();
    const end = () => ended.resolve();
    signal.addEventListener('abort', end, { once: true });
    if (!signal.aborted) await Promise.race([this.#wake.promise, ended.promise]);
    signal.removeEventListener('abort', end);
    if (signal.aborted) return [];
    this.#wake = Promise.withResolvers();
    const names = [...this.#names];
    this.#names.clear();
    return names;
  }
}
