import { createReadStream } from 'node:fs';
import { ENTRY_LIMIT, lineOf } from '../canonical.ts';
import { type JournalText, journalTextOf, MARK_BYTES } from '../journal-line.ts';
import type { AuditLine } from '../record.ts';
import { damaged } from './errors.ts';

const NEWLINE = 0x0a;
const NUL = 0x00;
const LINE_LIMIT = ENTRY_LIMIT + MARK_BYTES;

export interface JournalLine extends JournalText {
  line: AuditLine;
  /** Bytes of the journal up to its end, newline included. */
  end: number;
}

export interface JournalEnd {
  /** Bytes of whole records, newlines included. */
  size: number;
  /** Bytes after them that count for nothing. */
  torn: number;
}

/**
 * The records of a journal in order, and how it ends. What a power cut leaves was never acknowledged: a last line without its
 * newline, or, since blocks reach a disk in any order, a stretch of zeros and whatever follows it. Throws CofferError
 * `AUDIT_DAMAGED` where something else is no record or not the next one.
 */
export async function* readJournal(path: string): AsyncGenerator<JournalLine, JournalEnd> {
  let rest: Buffer = Buffer.alloc(0);
  let [size, total, expected] = [0, 0, 0];
  let isTorn = false;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (isTorn) continue;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(NEWLINE); end >= 0 && !isTorn; end = rest.indexOf(NEWLINE, start)) {
      const text = rest.subarray(start, end);
      isTorn = text.includes(NUL);
      if (isTorn) break;
      const { entry, ...mark } = journalTextOf(text);
      const line = lineOf(entry);
      if (line === undefined || (expected > 0 && line.sequence !== expected))
        throw damaged(path, `what stands at byte ${size} of its journal is not the next record`);
      expected = line.sequence + 1;
      size += text.length + 1;
      start = end + 1;
      yield { line, entry, ...mark, end: size };
    }
    rest = rest.subarray(start);
    if (rest.length > LINE_LIMIT && !rest.includes(NUL)) throw damaged(path, 'a line of its journal has no end');
    isTorn ||= rest.length > LINE_LIMIT;
  }
  return { size, torn: total - size };
}
