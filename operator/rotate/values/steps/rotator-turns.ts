import { TurnsByName } from '../../../concurrency/turns-by-name.ts';

/**
 * Work with rotators, which may be slow, beside the looks: one thing at a time for each rotator, and rotators beside each other.
 */
export class RotatorTurns {
  readonly #ended: () => void;
  readonly #ending = new AbortController();
  readonly #turns = new TurnsByName();
  /** Id → what ends with it. */
  readonly #underway = new Map<string, Promise<void>>();
  #failure: { error: unknown } | undefined;

  /** `ended`: something may be as it was not before. */
  constructor(ended: () => void) {
    this.#ended = ended;
  }

  /** Of one id one thing: until that has ended, nothing more of it is taken. */
  take(rotator: string, id: string, work: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#ending;
    if (signal.aborted || this.has(id)) return;
    const turn = this.#turns.take(rotator, async () => {
      if (!signal.aborted) await work(signal);
    });
    this.#underway.set(id, this.#end(id, turn));
  }

  /** Whether its turn is still to come, or has not ended. */
  has(id: string): boolean {
    return this.#underway.has(id);
  }

  get isIdle(): boolean {
    return this.#underway.size === 0;
  }

  /** Throws what work has thrown since this was asked last. */
  rethrow(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#underway.values());
  }

  /** Ends what is under way by its signal, and waits for that. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.settled();
  }

  async #end(id: string, turn: Promise<void>): Promise<void> {
    try {
      await turn;
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#failure ??= { error };
    }
    this.#underway.delete(id);
    if (!this.#ending.signal.aborted) this.#ended();
  }
}
