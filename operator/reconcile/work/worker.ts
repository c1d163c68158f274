import { CofferError } from '../../../core/errors.ts';
import type { SerialQueue } from '../../../core/serial-queue.ts';
import type { Key } from '../../project/namespaced-name.ts';
import type { Announcements } from '../status/announcements.ts';
import { Batch, type BatchParts } from './batch.ts';
import type { Notices } from './notices.ts';
import { type Item, Queue, type Reason } from './queue.ts';
import { isLeftover, Removal } from './removal.ts';
import { Retries, type RetryOptions } from './retries.ts';
import { unexpected } from './unexpected.ts';

export interface WorkerParts extends BatchParts {
  announcements: Announcements;
  notices: Notices;
  turns: SerialQueue;
  backOff?: RetryOptions;
  /** After each batch: what it did is to be told. */
  tell(): void;
}

/**
 * Secrets that the first batch works on: between batches, newer commits go ahead. What a batch has in common (the readers of a
 * namespace, the flushes of log and state) costs the more the more batches there are, so that they grow while work waits.
 */
const FIRST_BATCH = 128;
const LARGEST_BATCH = 1024;

/** Milliseconds at most between tries while the log takes no records: no more than one batch is read in vain. */
const LOG_WAIT = 15_000;

/** Works off what waits in the queue, a batch at a time, and notes when what failed is to be tried again. */
export class Worker {
  readonly #parts: WorkerParts;
  readonly #queue = new Queue();
  readonly #retries: Retries;
  /** Secrets that are to be taken away. */
  readonly #removals = new Set<Key>();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#retries = new Retries(parts.backOff);
  }

  /** `commit`: what is wanted is another, so that how it failed before says nothing. */
  add(home: Key, reason: Reason): void {
    if (reason === 'commit') this.#retries.forget(home);
    this.#queue.add(home, reason);
  }

  remove(home: Key): void {
    this.#removals.add(home);
  }

  keep(home: Key): void {
    this.#removals.delete(home);
  }

  /** Puts into the queue what is to be tried again now. */
  takeDue(): void {
    for (const home of this.#retries.take(performance.now())) this.#queue.add(home, 'restore');
  }

  /** When the next back-off is over, by `performance.now()`; infinite where there is none. */
  get nextDue(): number {
    return this.#retries.next;
  }

  /** What waits in the queue, also since an earlier call was kept from it. */
  waiting(): Key[] {
    return this.#queue.homes();
  }

  /**
   * Works until none of these waits any more, then has the workloads told. Throws `AUDIT_UNWRITABLE`, `STATE_UNWRITABLE`: what
   * was not done is tried again. Throws at the end what we did not reckon with, which was the failure of one secret.
   */
  async work(homes: Iterable<Key>): Promise<void> {
    const { turns, announcements, notices, signal } = this.#parts;
    const waiting = [...homes];
    const mistakes: unknown[] = [];
    let size = FIRST_BATCH;
    await turns.take(() => announcements.write());
    while (signal?.aborted !== true && waiting.some((home) => this.#queue.has(home))) {
      const count = size;
      await turns.take(() => this.#runBatch(count, mistakes));
      size = Math.min(2 * size, LARGEST_BATCH);
    }
    // Another caller's batch may be at some of them.
    await turns.ended();
    await notices.tell();
    if (mistakes.length > 0) throw mistakes[0];
  }

  async #runBatch(size: number, mistakes: unknown[]): Promise<void> {
    const { announcements, notices, board, state, tell } = this.#parts;
    const items = this.#queue.take(size);
    const removal = new Removal(this.#parts);
    const batch = new Batch(this.#parts);
    try {
      const gone = new Set(items.filter((item) => this.#isGone(item)));
      const retained = items.filter(({ home }) => this.#isToBeReleased(home));
      await removal.run(
        [...gone].map(({ home }) => home),
        retained.map(({ home }) => home),
      );
      await batch.run(items.filter((item) => !gone.has(item)));
    } catch (error) {
      // The log or the state cannot be written, or the mistake is ours: none is done.
      const known = error instanceof CofferError ? error : unexpected(error);
      for (const { home } of items) board.failed(home, known, undefined);
      if (known !== error) throw error;
    } finally {
      mistakes.push(...removal.mistakes, ...batch.mistakes);
      for (const record of [...removal.untold, ...batch.untold]) announcements.add(record);
      for (const { home } of items) this.#noteEnd(home);
      notices.owe();
      for (const { home } of items) if (state.get(home) === undefined) this.#removals.delete(home);
      tell();
    }
  }

  #isGone({ home }: Item): boolean {
    return this.#removals.has(home) || isLeftover(this.#parts.state, home);
  }

  #isToBeReleased(home: Key): boolean {
    const { state, projectors } = this.#parts;
    const record = state.get(home);
    if (record?.retained !== true || record.isReleased === true) return false;
    return projectors.some(({ retain }) => retain !== undefined);
  }

  #noteEnd(home: Key): void {
    const error = this.#parts.board.failures().get(home);
    const most = error?.code.startsWith('AUDIT_') === true ? LOG_WAIT : undefined;
    if (error?.loop === 'retry') this.#retries.failed(home, performance.now(), most);
    else this.#retries.forget(home);
  }
}
