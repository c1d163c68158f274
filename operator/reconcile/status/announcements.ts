import type { AuditLog } from '../../../core/audit/log.ts';
import type { AuditRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';

/** Records of what concerns a whole commit. One that cannot be written waits, and the reason is seen in the status. */
export class Announcements {
  readonly #audit: AuditLog;
  #waiting: AuditRecord[] = [];
  /** Why some still wait. */
  errors: readonly CofferError[] = [];

  constructor(audit: AuditLog) {
    this.#audit = audit;
  }

  add(record: AuditRecord): void {
    this.#waiting.push(record);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Throws `AUDIT_UNWRITABLE`. */
  async write(): Promise<void> {
    if (this.isEmpty) return;
    const records = this.#waiting;
    this.#waiting = [];
    try {
      await this.#audit.append(records);
      this.errors = [];
    } catch (error) {
      this.#waiting = [...records, ...this.#waiting];
      if (error instanceof CofferError) this.errors = [error];
      throw error;
    }
  }
}
