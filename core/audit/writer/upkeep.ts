import { CofferError } from '../../errors.ts';
import { SerialQueue } from '../../serial-queue.ts';
import type { AuditLogOptions } from '../log.ts';
import type { Checkpointer } from './checkpointer.ts';
import { unsigned, unwritable } from './errors.ts';
import type { GrowingTree } from './growing-tree.ts';
import type { JournalMark } from './journal-mark.ts';
import { type Pruner, Retention } from './retention.ts';

/** Between the first record that is not signed and the checkpoint that covers it; milliseconds. */
const DEBOUNCE = 1000;
/** After a failure, doubled each time. */
const FIRST_RETRY = 1000;
const LAST_RETRY = 30_000;

export interface UpkeepParts {
  directory: string;
  tree: GrowingTree;
  checkpointer: Checkpointer;
  mark: JournalMark;
}

/** What happens to records beside the path that they are acknowledged on: full tiles, checkpoints, retention. One at a time. */
export class Upkeep {
  /** What went wrong last, while it is wrong. */
  problem: CofferError | undefined;
  /** After this the log takes nothing more. */
  fatal: CofferError | undefined;
  readonly #parts: UpkeepParts;
  readonly #options: AuditLogOptions;
  readonly #retention: Retention;
  readonly #tiled: () => void;
  readonly #turns = new SerialQueue();
  #isTiling = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #retry = FIRST_RETRY;

  /** `tiled` is called when there are full tiles that were not there before. */
  constructor(pruner: Pruner, tiled: () => void, parts: UpkeepParts, options: AuditLogOptions) {
    this.#tiled = tiled;
    this.#parts = parts;
    this.#options = options;
    this.#retention = new Retention(parts.directory, pruner, options);
  }

  begin(): void {
    if (this.#options.signer === undefined) this.problem = unsigned(this.#parts.directory);
    this.wake();
    this.#retention.begin(() => this.#parts.tree.tiled);
  }

  /** Something was appended. */
  wake(): void {
    if (this.#isClosed) return;
    const { tree, checkpointer } = this.#parts;
    if (tree.backlog > 0 && !this.#isTiling) {
      this.#isTiling = true;
      void this.#take(() => this.#writeTiles()).finally(() => {
        this.#isTiling = false;
      });
    }
    if (this.#options.signer !== undefined && checkpointer.signed < tree.size) this.#signIn(DEBOUNCE);
  }

  /** Throws CofferError, and rejects with the system's error. */
  async writeTiles(): Promise<void> {
    await this.#turns.take(() => this.#writeTiles());
  }

  /** A checkpoint now, if there is something new. Throws CofferError. */
  async sign(): Promise<void> {
    await this.#turns.take(() => this.#sign());
  }

  /** `isWritable`: whether a last checkpoint is worth trying. */
  async close(isWritable: boolean): Promise<void> {
    this.#isClosed = true;
    await this.#retention.close();
    if (isWritable) await this.#take(() => this.#sign());
    await this.#turns.ended();
    clearTimeout(this.#timer);
  }

  #signIn(wait: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#take(() => this.#sign());
    }, wait).unref();
  }

  async #writeTiles(): Promise<void> {
    // Others may be appended while the last is flushed.
    const { tree } = this.#parts;
    if (tree.backlog === 0) return;
    while (tree.backlog > 0) await tree.writeTiles();
    this.#tiled();
  }

  async #sign(): Promise<void> {
    const { tree, checkpointer } = this.#parts;
    if (this.#options.signer === undefined) return;
    await this.#writeTiles();
    if (checkpointer.signed < tree.size) await checkpointer.write(tree.snapshot());
    else if (this.problem === undefined) return;
    // An identity that came after the log was opened.
    await this.#parts.mark.find();
    if (checkpointer.newest !== undefined) this.#options.checkpointed?.(checkpointer.newest);
    this.problem = undefined;
    this.#retry = FIRST_RETRY;
  }

  /** Runs a step that nobody waits for: what goes wrong is a problem of the status, and tried again. */
  async #take(step: () => Promise<void>): Promise<void> {
    try {
      await this.#turns.take(step);
    } catch (error) {
      const known = unwritable(error, this.#parts.directory);
      if (!(known instanceof CofferError)) throw known;
      this.problem = known;
      if (known.loop === 'stop') this.fatal = known;
      else this.#signIn(this.#retry);
      this.#retry = Math.min(this.#retry * 2, LAST_RETRY);
    }
  }
}
