import type { FileHandle } from 'node:fs/promises';
import { CofferError } from '../errors.ts';

export interface Tail {
  /** Bytes up to the end of the last whole line. */
  size: number;
  /** Of the last whole line; 0 in an empty log. */
  sequence: number;
  /** Bytes after it: of a line that was never finished. */
  torn: number;
}

const NEWLINE = 0x0a;
const BLOCK = 64 * 1024;

/** Reads a log from its end, as far as the last whole line. Throws CofferError `AUDIT_DAMAGED` if that is not a record. */
export async function recoverTail(handle: FileHandle, path: string): Promise<Tail> {
  const { size: total } = await handle.stat();
  let tail = Buffer.alloc(0);
  for (let start = total; start > 0; ) {
    const length = Math.min(BLOCK, start);
    start -= length;
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, start);
    tail = Buffer.concat([buffer, tail]);
    const end = tail.lastIndexOf(NEWLINE);
    const before = end < 1 ? -1 : tail.lastIndexOf(NEWLINE, end - 1);
    if (end < 0 || (before < 0 && start > 0)) continue;
    const sequence = sequenceOf(tail.toString('utf8', before + 1, end), path);
    return { size: start + end + 1, sequence, torn: tail.length - end - 1 };
  }
  return { size: 0, sequence: 0, torn: tail.length };
}

function sequenceOf(line: string, path: string): number {
  const sequence = numberFrom(line);
  if (sequence !== undefined) return sequence;
  throw new CofferError('AUDIT_DAMAGED', 'The last line of the audit log is not a record.', {
    advice: 'Keep this file as evidence and move it away; the operator begins a new log where there is none.',
    data: { path },
    loop: 'stop',
  });
}

function numberFrom(line: string): number | undefined {
  try {
    const { sequence } = Object(JSON.parse(line));
    return Number.isSafeInteger(sequence) && sequence > 0 ? sequence : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
