import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { LONGEST_TIMER } from '../../core/duration.ts';
import { CofferError } from '../../core/errors.ts';
import { KEY_FILE_LIMIT } from '../../core/keys/key-file.ts';

/** How the program for keys answered: docs/operations.md, "Keys by a command". */
export interface Answer {
  exitCode: number;
  /** What it printed, which the caller wipes. */
  output: Buffer;
}

export interface ProgramOptions {
  /** Milliseconds. */
  timeout: number;
  /** A line that the program wrote to its standard error. */
  said(line: string): void;
}

/** Lines of standard error that are passed on, and how long each may be. */
const LINES = 20;
const LINE_LENGTH = 300;
/** The secret texts of docs/format.md, should a program print one where people look. */
const SECRET_TEXT = /COFFER-(?:SECRET|IDENTITY)-1-[A-Za-z0-9_-]*/g;

/**
 * Runs a program without a shell, in a process group of its own, so that a timeout ends its children too. Only what it exits
 * with by itself is an answer.
 *
 * @param input to its standard input
 * @throws CofferError KEYS_COMMAND_FAILED
 */
export async function ask(run: readonly string[], input: Uint8Array, options: ProgramOptions): Promise<Answer> {
  const [program = '', ...args] = run;
  const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' });
  const ended = endOf(child);
  const kill = () => {
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (child.pid !== undefined && isRunning) process.kill(-child.pid, 'SIGKILL');
  };
  let isLate = false;
  const timer = setTimeout(
    () => {
      isLate = true;
      kill();
    },
    Math.min(options.timeout, LONGEST_TIMER),
  );
  const output = collect(child.stdout, kill);
  const errors = collect(child.stderr, () => undefined);
  // It may end before it has read everything; its exit code tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  try {
    const { code, signal } = await ended;
    tell(errors.bytes(), options.said);
    if (output.isTooLong()) throw failed(program, 'printed more than a key file can hold');
    if (isLate) throw failed(program, `was ended after ${options.timeout} ms`);
    if (code === null) throw failed(program, `was ended by ${signal ?? 'a signal'}`);
    return { exitCode: code, output: output.bytes() };
  } catch (error) {
    output.wipe();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

export function failed(program: string, how: string, cause?: unknown): CofferError {
  return new CofferError('KEYS_COMMAND_FAILED', `The program for keys, ${program}, ${how}.`, {
    advice: 'Read what it says in the log, and run it by hand with `list`; what is projected stays meanwhile.',
    data: { path: program },
    loop: 'retry',
    cause,
  });
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function endOf(child: Child): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>();
  child.once('error', (cause) => {
    const code = 'code' in cause ? String(cause.code) : cause.name;
    reject(failed(child.spawnfile, `could not be run (${code})`, cause));
  });
  child.once('close', (code, signal) => resolve({ code, signal }));
  return promise;
}

/** Keeps what a stream gives, up to the size of a key file. */
function collect(stream: Readable, tooLong: () => void) {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > KEY_FILE_LIMIT) {
      chunk.fill(0);
      tooLong();
    } else chunks.push(chunk);
  });
  const wipe = () => {
    for (const chunk of chunks) chunk.fill(0);
  };
  return {
    isTooLong: () => length > KEY_FILE_LIMIT,
    wipe,
    bytes: (): Buffer => {
      const all = Buffer.alloc(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
      let offset = 0;
      for (const chunk of chunks) offset += chunk.copy(all, offset);
      wipe();
      return all;
    },
  };
}

function tell(errors: Buffer, said: (line: string) => void): void {
  const lines = errors.toString('utf8').split('\n');
  for (const line of lines.filter((text) => text.trim() !== '').slice(0, LINES)) {
    said(
      line
        .replace(SECRET_TEXT, '[a key]')
        .replace(/\p{Cc}/gu, ' ')
        .slice(0, LINE_LENGTH),
    );
  }
}
