import type { ReadStream } from 'node:tty';
import { CofferError } from '../../core/errors.ts';

/** Whether there is a person to ask: a terminal to read from and one to write the question to. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks on standard error; the answer without its line end. Only where `canAsk()`. */
export async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new AbortController();
  // Ctrl-C reaches readline, not the process: pass it on, so that cleaning up happens as everywhere.
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  terminal.once('close', () => closed.abort());
  try {
    return await terminal.question(question, { signal: closed.signal });
  } catch (error) {
    if (closed.signal.aborted) return '';
    throw error;
  } finally {
    terminal.close();
  }
}

export async function confirm(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim());
}

const ENTER = new Set([0x0a, 0x0d]);
const END = 0x04;
const INTERRUPT = 0x03;
const RUB_OUT = new Set([0x08, 0x7f]);

/**
 * Reads one line without showing it. The bytes stay bytes: nothing makes a string of them, and the caller wipes them.
 * Only where `canAsk()`.
 */
export async function askHidden(question: string): Promise<Buffer> {
  const terminal: ReadStream = process.stdin;
  // Before the question: what is typed as soon as it is there would be shown.
  terminal.setRawMode(true);
  process.stderr.write(question);
  const typed: number[] = [];
  try {
    for await (const chunk of terminal.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const finished = takeKeys(chunk, typed);
      chunk.fill(0);
      if (finished) return Buffer.from(typed);
    }
    throw new CofferError('INPUT_ENDED', 'the terminal was closed before a value was typed', {
      advice: 'Run it again.',
    });
  } finally {
    typed.fill(0);
    terminal.setRawMode(false);
    terminal.pause();
    process.stderr.write('\n');
  }
}

/** Adds what was typed; true when the line is finished. */
function takeKeys(chunk: Buffer, typed: number[]): boolean {
  for (const byte of chunk) {
    if (ENTER.has(byte) || byte === END) return true;
    if (byte === INTERRUPT) process.kill(process.pid, 'SIGINT');
    else if (RUB_OUT.has(byte)) rubOut(typed);
    else typed.push(byte);
  }
  return false;
}

/** One character, which in UTF-8 is a byte and the continuation bytes after it. */
function rubOut(typed: number[]): void {
  while (typed.length > 0) {
    const last = typed.pop() ?? 0;
    if ((last & 0xc0) !== 0x80) return;
  }
}
