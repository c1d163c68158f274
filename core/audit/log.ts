import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../errors.ts';
import { flush } from '../files/atomic.ts';
import type { AuditLine, AuditRecord } from './record.ts';
import { recoverTail } from './tail.ts';

/** An append-only log. Its form may change; its promise does not: what `append` was given is on disk when it resolves. */
export interface AuditLog {
  /** Throws CofferError `AUDIT_UNWRITABLE`; then none of the records is in the log. */
  append(records: readonly AuditRecord[]): Promise<void>;
  /** Writes what is still waiting, then closes. */
  close(): Promise<void>;
}

/** The log of a directory: what it promises, and how it is doing. */
export interface SignedLog extends AuditLog {
  /** What its checkpoints begin with: `coffer.dev/audit/CLUSTER/LOGID`. */
  readonly origin: string;
  /** The newest signed one, as text; undefined: none yet. */
  readonly checkpoint: string | undefined;
  /** What is wrong with it now, for the status: `AUDIT_UNSIGNED`, `AUDIT_FULL`, `AUDIT_UNWRITABLE`; empty: nothing. */
  readonly problems: readonly CofferError[];
}

/** Who signs checkpoints: the cluster's identity, wherever it is kept. */
export interface LogSigner {
  /** Ed25519 over `text`: a public key of 32 bytes, a signature of 64. Undefined: there is no identity yet. */
  sign(text: Buffer): Promise<{ publicKey: Buffer; signature: Buffer } | undefined>;
}

export interface AuditLogOptions {
  /** Part of the log's name. */
  cluster: string;
  /** The clock that stamps the lines. */
  now: () => Date;
  /** Absent: records are durable, and nothing is signed. */
  signer?: LogSigner;
  /** Checkpoints of this log that are remembered elsewhere: it must go on from each, or it is not opened. */
  known?: readonly string[];
  /** Called with what has just become durable, in order. */
  written?: (lines: readonly AuditLine[]) => void;
  /** Called with each checkpoint that is on disk. */
  checkpointed?: (text: string) => void;
  /** Records older than this (milliseconds) are forgotten; absent: none. */
  keep?: number;
  /** Bytes kept for the records that say that the disk is full; absent: 1 MiB. */
  reserve?: number;
}

/** Of the log's file in its directory: JSON lines, mode 0600. */
export const AUDIT_FILE = 'journal';

/**
 * Opens the log of a directory, or makes both. A line that a killed run left half written was never acknowledged: it is cut
 * off, and a record `log.recovered` says so. Throws CofferError `AUDIT_UNWRITABLE`, or `AUDIT_DAMAGED` where the last whole
 * line is not a record.
 */
export async function openAuditLog(directory: string, { cluster, now }: AuditLogOptions): Promise<SignedLog> {
  const path = join(directory, AUDIT_FILE);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const handle = await open(path, 'a+', 0o600);
    try {
      await handle.chmod(0o600);
      const { size, sequence, torn } = await recoverTail(handle, path);
      const log = new AuditFile(`coffer.dev/audit/${cluster}/0000000000000000`, handle, path, size, sequence, now);
      if (torn > 0) {
        await handle.truncate(size);
        await log.append([
          { event: 'log.recovered', message: `cut off ${torn} bytes of a line that was never finished` },
        ]);
      }
      await flush(directory);
      return log;
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw unwritable(error, path);
  }
}

interface Waiting {
  records: readonly AuditRecord[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** One write and one flush for all that came while the last one was under way (group commit). */
class AuditFile implements SignedLog {
  readonly origin: string;
  readonly checkpoint = undefined;
  readonly problems = [];
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #now: () => Date;
  /** Of what is whole and flushed. */
  #size: number;
  #sequence: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(origin: string, handle: FileHandle, path: string, size: number, sequence: number, now: () => Date) {
    this.origin = origin;
    this.#handle = handle;
    this.#path = path;
    this.#size = size;
    this.#sequence = sequence;
    this.#now = now;
  }

  append(records: readonly AuditRecord[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ records, resolve, reject });
    this.#writing ??= this.#drain();
    return promise;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#handle.close();
  }

  async #drain(): Promise<void> {
    // What is appended in this turn of the event loop goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(group.flatMap(({ records }) => records));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(unwritable(error, this.#path));
      }
    }
    this.#writing = undefined;
  }

  async #write(records: readonly AuditRecord[]): Promise<void> {
    const time = this.#now().toISOString();
    const lines = records.map(
      (record, index): AuditLine => ({ sequence: this.#sequence + 1 + index, time, ...record }),
    );
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const { nlink, size } = await this.#handle.stat();
    if (nlink === 0) throw removed(this.#path);
    // What a failed write left behind.
    if (size !== this.#size) await this.#handle.truncate(this.#size);
    await this.#handle.appendFile(bytes);
    await this.#handle.datasync();
    this.#size += bytes.length;
    this.#sequence += records.length;
  }
}

function removed(path: string): CofferError {
  return new CofferError('AUDIT_UNWRITABLE', 'The audit log was removed while it was open.', {
    advice: 'Put the file back if you can, find out who removed it, and start the operator again.',
    data: { path },
    loop: 'retry',
  });
}

function unwritable(error: unknown, path: string): unknown {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return error;
  if (error instanceof CofferError) return error;
  return new CofferError('AUDIT_UNWRITABLE', `The audit log could not be written (${error.code}).`, {
    advice:
      'Make room on its disk, and see that the operator may write there; until then nothing new is opened or projected.',
    data: { path },
    loop: 'retry',
    cause: error,
  });
}
