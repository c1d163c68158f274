import { mkdir } from 'node:fs/promises';
import type { AuditLogOptions, SignedLog } from '../../core/audit/log.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import { readOrigin } from '../../core/audit/writer/recover.ts';
import { CofferError } from '../../core/errors.ts';
import { type Lock, lockDirectory } from '../../core/files/lock.ts';

const LOCK = 'audit.lock';

/** The directory of one log, which one process works in. */
export class LogDirectory {
  readonly #directory: string;
  readonly #options: Omit<AuditLogOptions, 'known'>;
  readonly #claimsOf: (origin: string) => readonly string[];
  #lock: Lock | undefined;

  /** `claimsOf`: checkpoints that are remembered of the log of that origin. */
  constructor(
    directory: string,
    options: Omit<AuditLogOptions, 'known'>,
    claimsOf: (origin: string) => readonly string[],
  ) {
    this.#directory = directory;
    this.#options = options;
    this.#claimsOf = claimsOf;
  }

  /** Locks it and opens its log. Throws CofferError `DIRECTORY_IN_USE`, `AUDIT_…`; then it is not locked. */
  async open(): Promise<SignedLog> {
    this.#lock ??= await this.#take();
    try {
      const origin = await readOrigin(this.#directory);
      const known = origin === undefined ? [] : this.#claimsOf(origin);
      return await openAuditLog(this.#directory, { ...this.#options, known });
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** After the log was closed. */
  release(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  async #take(): Promise<Lock> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      return lockDirectory(this.#directory, LOCK, 'the audit directory');
    } catch (error) {
      if (error instanceof CofferError || !(error instanceof Error && 'code' in error)) throw error;
      const path = this.#directory;
      throw new CofferError(
        'AUDIT_UNWRITABLE',
        `The operator cannot write in the audit directory ${path} (${String(error.code)}).`,
        {
          advice:
            'Make the directory writable for the user that the operator runs as, make room, or configure another.',
          data: { path },
          loop: 'retry',
          cause: error,
        },
      );
    }
  }
}
