import type { AuditLine } from '../../core/audit/record.ts';
import { recordsIn } from '../../core/audit/records-in.ts';
import type { OpenedLog } from './open-logs.ts';

export interface LogRecord {
  log: OpenedLog;
  line: AuditLine;
}

/** The records of several logs as one history, by their times; those of one log stay in its order. */
export async function* mergedRecords(logs: readonly OpenedLog[]): AsyncGenerator<LogRecord> {
  const heads = await Promise.all(
    logs.map(async (log) => {
      const lines = recordsIn(log.store);
      return { log, lines, next: await lines.next() };
    }),
  );
  for (;;) {
    let earliest: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.next.done !== true && (earliest === undefined || timeOf(head) < timeOf(earliest))) earliest = head;
    }
    if (earliest === undefined || earliest.next.done === true) return;
    yield { log: earliest.log, line: earliest.next.value };
    earliest.next = await earliest.lines.next();
  }
}

function timeOf({ next }: { next: IteratorResult<AuditLine> }): string {
  return next.done === true ? '' : next.value.time;
}
