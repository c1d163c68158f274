import { Bug } from '../errors.ts';
import type { AuditRecord } from './record.ts';

/** An append-only log. Its form may change; its promise does not: what `append` was given is on disk when it resolves. */
export interface AuditLog {
  /** Throws CofferError `AUDIT_UNWRITABLE`; then none of the records is in the log. */
  append(records: readonly AuditRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface AuditLogOptions {
  /** The clock that stamps the lines. */
  now: () => Date;
}

export async function openAuditLog(_directory: string, _options: AuditLogOptions): Promise<AuditLog> {
  throw new Bug('not written yet');
}
