import { CofferError } from '../../../../core/errors.ts';
import { BackOff } from '../../../concurrency/back-off.ts';

/** Milliseconds between tries of one thing. */
const BACK_OFF = { first: 1000, most: 300_000 } as const;

interface Failing {
  backOff: BackOff;
  /** By the clock. */
  until: number;
  error: CofferError;
}

/** Tries things by name, each again ever later while it fails. */
export class Patience {
  readonly #clock: () => number;
  readonly #failing = new Map<string, Failing>();

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /**
   * @param failed told when it fails in another way than before
   * @returns undefined where it failed, or failed before and is not to be tried yet
   * @throws what is no CofferError, and AUDIT_*, with which all else would fail too
   */
  async try<Result>(
    id: string,
    work: () => Promise<Result>,
    failed: (error: CofferError) => Promise<void> = async () => undefined,
  ): Promise<Result | undefined> {
    if (this.isWaiting(id)) return undefined;
    try {
      const result = await work();
      this.#failing.delete(id);
      return result;
    } catch (error) {
      if (!(error instanceof CofferError) || error.code.startsWith('AUDIT_')) throw error;
      await this.note(id, error, failed);
      return undefined;
    }
  }

  /** That something was tried elsewhere, and how it failed; undefined: it did not. `failed`: as `try` has it. */
  async note(id: string, error: CofferError | undefined, failed: (error: CofferError) => Promise<void>): Promise<void> {
    if (error === undefined) {
      this.#failing.delete(id);
      return;
    }
    const before = this.#failing.get(id);
    const backOff = before?.backOff ?? new BackOff(BACK_OFF.first, BACK_OFF.most);
    this.#failing.set(id, { backOff, until: this.#clock() + backOff.next(), error });
    if (before?.error.code !== error.code) await failed(error);
  }

  /** Whether it failed when it was tried last. */
  isFailing(id: string): boolean {
    return this.#failing.has(id);
  }

  /** Whether it failed, and is not to be tried yet. */
  isWaiting(id: string): boolean {
    const failing = this.#failing.get(id);
    return failing !== undefined && failing.until > this.#clock();
  }

  get troubles(): CofferError[] {
    return Array.from(this.#failing.values(), ({ error }) => error);
  }

  /** The time by its clock. */
  get now(): number {
    return this.#clock();
  }

  /**
   * Milliseconds until something is to be tried again, for a look that began at `since` by the clock. What was due by then it has tried,
   * or that is being tried, or waits for something else: looking sooner would not help.
   */
  againAfter(since: number): number {
    const ahead = Array.from(this.#failing.values(), ({ until }) => until).filter((until) => until > since);
    return Math.max(0, Math.min(...ahead) - this.#clock());
  }

  forgetAllBut(ids: ReadonlySet<string>): void {
    for (const id of this.#failing.keys()) if (!ids.has(id)) this.#failing.delete(id);
  }
}
