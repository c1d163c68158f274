import type { AuditLog, SignedLog } from '../../core/audit/log.ts';
import { parseCheckpoint } from '../../core/audit/note/checkpoint.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { pause } from '../concurrency/pause.ts';
import type { Override } from './override.ts';

export interface OperatorLogOptions {
  /** Locks the directory and opens the log. Throws CofferError; with loop `retry` it is tried again. */
  open(): Promise<SignedLog>;
  /** What a log that was opened is told first. */
  opened(log: SignedLog): Promise<readonly AuditRecord[]>;
  /** A person's leave that counts now. */
  override(): Promise<Override | undefined>;
  now(): Date;
  /** Told of each record that is kept in memory alone: whoever reads the output has it at least. */
  kept(record: AuditRecord): void;
}

const FULL = 'AUDIT_FULL';
/** What a log may say of itself that keeps records out. */
const UNWRITABLE: ReadonlySet<string> = new Set([FULL, 'AUDIT_UNWRITABLE']);
/** What the system says of a disk that is full, read-only or broken. */
const DISK: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);
/** What a person's leave is for: a log that was changed, cut or is signed by another is no disk that comes back. */
const UNUSABLE: ReadonlySet<string> = new Set([...UNWRITABLE, 'AUDIT_SLOW', 'AUDIT_BEHIND']);
/** Milliseconds between tries to open it, and to write what is owed. */
const AGAIN = 1000;
/** Milliseconds without an answer of the disk after which the status says so. */
const SLOW = 10_000;
/** Records that are kept in memory while a person lets it go on: a start with ten thousand secrets has twice as many, and a log takes no more than 50,000 at once. */
const MOST_KEPT = 30_000;

/**
 * The operator's record: no append, no projection. Where the log cannot be opened or written, nothing that asks for a record goes on,
 * and it is tried again; unless a person gave leave to go on for a time, whose records are kept in memory, shown on the output, and
 * written as soon as the log takes them.
 */
export class OperatorLog implements AuditLog {
  readonly #options: OperatorLogOptions;
  #log: SignedLog | undefined;
  #opening: Promise<SignedLog> | undefined;
  #openedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  /** Of what was asked for last. */
  #trouble: CofferError | undefined;
  /** What happened already, and goes first. */
  #owed: AuditRecord[] = [];
  /** The leave under which something was kept last. */
  #leave: Override | undefined;
  /** Whether a leave counted when that was looked at last. */
  #isLeft = false;
  #pending = 0;
  #answeredAt = 0;

  constructor(options: OperatorLogOptions) {
    this.#options = options;
  }

  /** Throws `AUDIT_…`; then none of the records is anywhere. */
  async append(records: readonly AuditRecord[]): Promise<void> {
    try {
      await this.#write(records);
    } catch (error) {
      if (!(error instanceof CofferError) || !mayBeLeft(error) || !(await this.#keep(records))) throw error;
    }
  }

  /** What has happened whether or not it can be written: it is written before all that comes, as soon as that can be. */
  async owe(records: readonly AuditRecord[]): Promise<void> {
    this.#owed.push(...records);
    await this.settle();
  }

  /** The same, at the start. Throws where the log cannot be opened for another reason than the state of its disk. */
  async start(records: readonly AuditRecord[]): Promise<void> {
    await this.owe(records);
    const trouble = this.#log === undefined ? this.#trouble : undefined;
    if (trouble !== undefined && !isOfDisk(trouble)) throw trouble;
  }

  /** Tries to write what is owed. Throws where trying again will not help. */
  async settle(): Promise<void> {
    try {
      await this.#write([]);
    } catch (error) {
      if (!(error instanceof CofferError) || error.loop !== 'retry') throw error;
    }
  }

  /** Tries until the signal to open what could not be opened, and to write what is owed. */
  async run(signal: AbortSignal): Promise<void> {
    while (await pause(AGAIN, signal)) {
      // A person may take it back, by removing its file.
      if (this.#leave !== undefined) this.#isLeft = (await this.#options.override()) !== undefined;
      if (this.#owed.length === 0 && this.#log !== undefined) continue;
      try {
        await this.settle();
      } catch (error) {
        // The status says so, and whoever appends is told.
        if (!(error instanceof CofferError)) throw error;
      }
    }
  }

  /** Records that are in the log, and those that its newest checkpoint covers. */
  get size(): number {
    return this.#log?.size ?? 0;
  }

  get signed(): number {
    const checkpoint = this.#log?.checkpoint;
    return checkpoint === undefined ? 0 : parseCheckpoint(checkpoint).size;
  }

  /** Whether what is to be recorded now can be. */
  get isWritable(): boolean {
    const isWell = this.#log?.problems.every(({ code }) => !UNWRITABLE.has(code)) ?? false;
    return isWell && this.#trouble === undefined && !this.#isSlow();
  }

  /** Whether a person's leave is used now. */
  get isOverridden(): boolean {
    return this.#isLeft && this.#leave !== undefined && this.#options.now().getTime() < Date.parse(this.#leave.until);
  }

  /** How many records wait in memory. */
  get owed(): number {
    return this.#owed.length;
  }

  /** For the status. */
  problems(): CofferError[] {
    const own = [...(this.#trouble === undefined ? [] : [this.#trouble]), ...(this.#isSlow() ? [slow()] : [])];
    const known = new Set(own.map(({ code }) => code));
    const others = (this.#log?.problems ?? []).filter(({ code }) => !known.has(code));
    const leave = this.#leave;
    return [...own, ...others, ...(leave !== undefined && this.isOverridden ? [overridden(leave, this.owed)] : [])];
  }

  /** Writes what is owed, as far as that can be, and closes. Throws `AUDIT_LOST` where records end with the process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // What it failed with is `#trouble`.
    await Promise.allSettled([this.#opening]);
    const log = this.#log;
    const owed = this.#owed.splice(0);
    // One by one into one write: where there is room for some only, those are kept.
    const results = await Promise.allSettled(
      owed.map((record) => log?.append([record]) ?? Promise.reject(this.#trouble)),
    );
    await log?.close();
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    const [failure] = failures;
    // What never began has nothing to lose.
    if (failure === undefined || (log === undefined && this.#leave === undefined)) return;
    throw failure instanceof CofferError ? lost(failure, failures.length) : failure;
  }

  async #write(records: readonly AuditRecord[]): Promise<void> {
    const log = this.#log ?? (await this.#open());
    const owed = this.#owed;
    this.#owed = [];
    if (this.#pending++ === 0) this.#answeredAt = performance.now();
    try {
      await this.#appendAfter(log, owed, records);
      if (owed.length + records.length > 0) this.#trouble = undefined;
    } catch (error) {
      if (error instanceof CofferError) this.#failed(error);
      throw error;
    } finally {
      this.#pending -= 1;
      this.#answeredAt = performance.now();
    }
  }

  /**
   * A log that is full has room for how something ended, and none for what is owed: then that goes alone, unless a person lets it go on,
   * for then it would stand before how it began.
   */
  async #appendAfter(log: SignedLog, owed: readonly AuditRecord[], records: readonly AuditRecord[]): Promise<void> {
    try {
      if (owed.length + records.length > 0) await log.append([...owed, ...records]);
      if (owed.length > 0) this.#leave = undefined;
    } catch (error) {
      this.#owed.unshift(...owed);
      if (owed.length === 0 || records.length === 0 || this.#leave !== undefined) throw error;
      await log.append(records);
    }
  }

  /** A log that is full says so itself, and when it is not any more. */
  #failed(error: CofferError): void {
    if (error.code === FULL) return;
    if (this.#trouble === undefined) {
      const { code, message } = error;
      const happened = this.#options.now().toISOString();
      this.#owed.push({ event: 'log.interrupted', code, message, happened });
    }
    this.#trouble = error;
  }

  #open(): Promise<SignedLog> {
    if (this.#opening !== undefined) return this.#opening;
    if (this.#isClosed) return Promise.reject(closed());
    if (this.#trouble !== undefined && performance.now() - this.#openedAt < AGAIN) return Promise.reject(this.#trouble);
    this.#openedAt = performance.now();
    this.#opening = this.#options
      .open()
      .then(
        async (log) => {
          this.#owed.unshift(...(await this.#options.opened(log)));
          this.#log = log;
          return log;
        },
        (error: unknown) => {
          if (error instanceof CofferError) this.#failed(error);
          throw error;
        },
      )
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  /** Returns whether a person lets it go on. */
  async #keep(records: readonly AuditRecord[]): Promise<boolean> {
    const { override, now, kept } = this.#options;
    const leave = await override();
    if (leave === undefined || this.#owed.length + records.length > MOST_KEPT) return false;
    const happened = now().toISOString();
    const { actor, reason, given, until } = leave;
    const isNew = this.#leave?.given !== given;
    const first: AuditRecord[] = isNew ? [{ event: 'log.overridden', actor, reason, until, happened }] : [];
    this.#leave = leave;
    this.#isLeft = true;
    for (const record of [...first, ...records.map((one) => ({ ...one, happened: one.happened ?? happened }))]) {
      this.#owed.push(record);
      kept(record);
    }
    return true;
  }

  #isSlow(): boolean {
    return this.#pending > 0 && performance.now() - this.#answeredAt > SLOW;
  }
}

function mayBeLeft(error: CofferError): boolean {
  return UNUSABLE.has(error.code) || isOfDisk(error);
}

/** It was right before, and may be again. */
function isOfDisk({ code, cause }: CofferError): boolean {
  return code === FULL || (cause instanceof Error && 'code' in cause && DISK.has(String(cause.code)));
}

function slow(): CofferError {
  return new CofferError('AUDIT_SLOW', `The disk of the log has not answered for ${SLOW / 1000} seconds.`, {
    advice: 'Look at that disk: until it answers, nothing new is opened or projected.',
    loop: 'retry',
  });
}

function closed(): CofferError {
  return new CofferError('AUDIT_UNWRITABLE', 'The audit log is closed, since the operator ends.', {
    advice: 'What asked for it is asked for again when the operator is started.',
    loop: 'retry',
  });
}

function overridden({ actor, until, reason }: Override, owed: number): CofferError {
  return new CofferError(
    'AUDIT_OVERRIDDEN',
    `${actor.user} lets the operator go on without the log until ${until} (${reason}); ${owed} records are in memory alone.`,
    {
      advice: 'Make the log writable before that time, and leave the process running until it has them.',
      loop: 'retry',
    },
  );
}

function lost(cause: CofferError, count: number): CofferError {
  return new CofferError('AUDIT_LOST', `${count} records could not be written, and end with this process.`, {
    advice: `Keep its output, which has those that a person let it go on without. Why: ${cause.message}`,
    data: cause.data,
    cause,
  });
}
