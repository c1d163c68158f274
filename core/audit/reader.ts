import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AUDIT_FILE } from './log.ts';
import type { AuditLine } from './record.ts';

/** Every record that is there, in order. Throws CofferError `AUDIT_DAMAGED`. */
export async function* readRecords(directory: string): AsyncGenerator<AuditLine> {
  for (const line of (await readFile(join(directory, AUDIT_FILE), 'utf8')).split('\n')) {
    if (line !== '') yield JSON.parse(line);
  }
}
