import { CofferError } from '../../errors.ts';
import { entryOf, fitting } from '../canonical.ts';
import type { AuditLogOptions, SignedLog } from '../log.ts';
import type { AuditLine, AuditRecord } from '../record.ts';
import type { Checkpointer } from './checkpointer.ts';
import { behind, full, isFull, unwritable } from './errors.ts';
import type { GrowingTree } from './growing-tree.ts';
import type { Journal } from './journal.ts';
import type { JournalMark } from './journal-mark.ts';
import type { Reserve } from './reserve.ts';
import { Upkeep } from './upkeep.ts';

export interface LogParts {
  origin: string;
  directory: string;
  journal: Journal;
  /** Records before the first of the journal. */
  journalBegin: number;
  tree: GrowingTree;
  checkpointer: Checkpointer;
  mark: JournalMark;
  reserve: Reserve;
  owed: AuditRecord[];
}

interface Waiting {
  records: readonly AuditRecord[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Records that wait for the disk; more are refused, so that a disk that hangs does not fill the memory. */
const MOST_WAITING = 50_000;
/** Records in one write. */
const MOST_TOGETHER = 4096;
/** Full tiles that may wait to be written before records wait for them. */
const MOST_UNTILED = 64;
/** Records of the journal that are in tiles as well, before it is cut: that costs two more flushes. */
const MOST_DOUBLE = 4096;
/** Between looks whether a full disk has room again, while nothing is to be recorded; milliseconds. */
const FULL_LOOK = 5000;

/** What may use the reserve: how that ended which was on record before. Anything new waits for room. */
const MAY_USE_RESERVE: ReadonlySet<AuditRecord['event']> = new Set([
  'secret.outcome',
  'rotation.step',
  'operator.stopped',
  'log.full',
  'log.recovered',
]);

/** One write and one flush for all that came while the last one was under way (group commit). */
export class LogWriter implements SignedLog {
  readonly origin: string;
  readonly #parts: LogParts;
  readonly #options: AuditLogOptions;
  readonly #upkeep: Upkeep;
  #journalBegin: number;
  #waiting: Waiting[] = [];
  #waitingRecords = 0;
  #writing: Promise<void> | undefined;
  /** Records of the log about itself, which go before the next others. */
  #owed: AuditRecord[];
  #full: CofferError | undefined;
  #fullLook: NodeJS.Timeout | undefined;
  /** Whether anybody's record came since the log last said that it is full: it must not fill the rest of the disk by saying so. */
  #isFullNews = true;
  /** Of the last write, when it failed for another reason. */
  #failure: CofferError | undefined;

  constructor(parts: LogParts, options: AuditLogOptions) {
    this.origin = parts.origin;
    this.#parts = parts;
    this.#options = options;
    this.#journalBegin = parts.journalBegin;
    this.#owed = parts.owed;
    this.#upkeep = new Upkeep(this, () => this.#cutWhenDue(), parts, options);
  }

  get size(): number {
    return this.#parts.tree.size;
  }

  get checkpoint(): string | undefined {
    return this.#parts.checkpointer.newest;
  }

  get problems(): readonly CofferError[] {
    return [this.#full ?? this.#failure, this.#upkeep.problem].filter((problem) => problem !== undefined);
  }

  /**
   * Sees who signed it before, takes the reserve, and writes what the log has to say of how it was found. A full disk is no
   * reason not to open, nor is an identity that cannot be read yet. Throws CofferError `AUDIT_KEY_REPLACED`, `AUDIT_ROLLED_BACK`.
   */
  async begin(): Promise<void> {
    const { tree, checkpointer } = this.#parts;
    await checkpointer.prove({ size: tree.size, root: tree.root() }).catch(waitForIdentity);
    if (!(await this.#parts.reserve.take())) await this.#becomeFull();
    if (this.#owed.length > 0) await this.append([]).catch(keepForLater);
    this.#upkeep.begin();
  }

  append(records: readonly AuditRecord[]): Promise<void> {
    const { fatal } = this.#upkeep;
    if (fatal !== undefined) return Promise.reject(fatal);
    if (this.#waitingRecords > 0 && this.#waitingRecords + records.length > MOST_WAITING)
      return Promise.reject(behind(this.#parts.journal.path));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ records, resolve, reject });
    this.#waitingRecords += records.length;
    this.#writing ??= this.#drain();
    return promise;
  }

  async sign(): Promise<void> {
    await this.#upkeep.sign();
  }

  async close(): Promise<void> {
    clearTimeout(this.#fullLook);
    await this.#writing;
    await this.#upkeep.close(this.#full === undefined);
    // The last full tiles may have made the journal due.
    await this.#writing;
    await this.#parts.journal.close();
    this.#parts.mark.wipe();
  }

  async #drain(): Promise<void> {
    // What is appended in this turn of the event loop goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#writeGroup(this.#take());
    this.#writing = undefined;
  }

  #take(): Waiting[] {
    let [count, records] = [0, 0];
    for (const waiting of this.#waiting) {
      if (count > 0 && records + waiting.records.length > MOST_TOGETHER) break;
      count++;
      records += waiting.records.length;
    }
    this.#waitingRecords -= records;
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    let left = group;
    try {
      if (this.#full !== undefined && !(await this.#isRoomAgain())) left = this.#withoutNew(left);
      if (this.#parts.tree.backlog > MOST_UNTILED) await this.#upkeep.writeTiles();
      await this.#commit(left).catch(async (error) => {
        if (!isFull(error) || this.#full !== undefined) throw error;
        await this.#becomeFull(error);
        left = this.#withoutNew(left);
        await this.#commit(left);
      });
    } catch (error) {
      this.#refuse(left, error);
    }
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const { journal, tree, mark } = this.#parts;
    const records = [...this.#owed, ...group.flatMap((waiting) => waiting.records)].flatMap(fitting);
    if (records.length > 0) {
      const time = this.#options.now().toISOString();
      const { cluster } = this.#options;
      const lines = records.map((record, index): AuditLine => {
        return { cluster, ...record, sequence: tree.size + 1 + index, time };
      });
      const entries = lines.map(entryOf);
      await journal.append(mark.linesOf(entries, tree));
      for (const entry of entries) tree.append(entry);
      this.#owed = [];
      if (group.some((waiting) => waiting.records.length > 0)) this.#isFullNews = true;
      this.#failure = undefined;
      this.#options.written?.(lines);
    }
    for (const { resolve } of group) resolve();
    if (this.#full !== undefined) return;
    await this.#cutJournal();
    this.#upkeep.wake();
  }

  /** In turn with what is written to it. */
  #cutWhenDue(): void {
    if (this.#parts.tree.tiled - this.#journalBegin >= MOST_DOUBLE) this.append([]).catch(keepForLater);
  }

  /** Takes out of the journal what is in full tiles. */
  async #cutJournal(): Promise<void> {
    const { journal, tree, mark } = this.#parts;
    const rest = tree.untiled();
    // Never all of it: how far a log goes is told by its journal.
    if (rest === undefined || rest.length === 0 || tree.tiled - this.#journalBegin < MOST_DOUBLE) return;
    try {
      await journal.replace(mark.linesOf(rest, tree.lastTile));
      this.#journalBegin = tree.tiled;
    } catch (error) {
      // The longer journal is as good: only what the next write says of the disk counts.
      if (!(unwritable(error, journal.path) instanceof CofferError)) throw error;
    }
  }

  async #becomeFull(cause?: unknown): Promise<void> {
    const { reserve, journal } = this.#parts;
    this.#full = full(journal.path, cause);
    if (reserve.isHeld) await reserve.giveUp();
    if (this.#isFullNews) this.#owed.push({ event: 'log.full', code: this.#full.code, message: this.#full.message });
    this.#isFullNews = false;
    this.#fullLook = setInterval(() => this.append([]).catch(keepForLater), FULL_LOOK).unref();
  }

  async #isRoomAgain(): Promise<boolean> {
    if (!(await this.#parts.reserve.take())) return false;
    this.#full = undefined;
    clearInterval(this.#fullLook);
    return true;
  }

  /** Refuses all that would begin something. */
  #withoutNew(group: readonly Waiting[]): readonly Waiting[] {
    const isNew = ({ records }: Waiting) => records.some(({ event }) => !MAY_USE_RESERVE.has(event));
    for (const { reject } of group.filter(isNew)) reject(this.#full);
    return group.filter((waiting) => !isNew(waiting));
  }

  #refuse(group: readonly Waiting[], error: unknown): void {
    const known = unwritable(error, this.#parts.journal.path);
    if (known instanceof CofferError && this.#full === undefined) this.#failure = known;
    for (const { reject } of group) reject(known);
  }
}

/** For records that the log makes itself: they stay owed, and the status says what is wrong. */
function keepForLater(error: unknown): void {
  if (!(error instanceof CofferError)) throw error;
}

function waitForIdentity(error: unknown): void {
  if (!(error instanceof CofferError && error.code === 'AUDIT_UNSIGNED')) throw error;
}
