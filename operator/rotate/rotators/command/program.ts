import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { LONGEST_TIMER } from '../../../../core/duration.ts';

/** Bytes of output that are read: more says nothing to us. */
const MOST_OUTPUT = 64 * 1024;
/** A program finds others, and nothing else of the operator's environment, which may hold credentials. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

export type Ending =
  | { how: 'exited'; code: number; output: Buffer }
  | { how: 'signal'; signal: string }
  | { how: 'late' }
  | { how: 'talkative' }
  | { how: 'not-run'; code: string };

/**
 * Runs a program without a shell, with an environment of its own, in a process group that ends with it. Its standard error goes
 * nowhere: what a program says about a credential may quote it. The caller wipes input and output.
 *
 * @param timeout in milliseconds
 * @throws the signal's reason
 */
export async function runProgram(
  run: readonly string[],
  input: Uint8Array,
  timeout: number,
  signal: AbortSignal,
): Promise<Ending> {
  signal.throwIfAborted();
  const [program = '', ...args] = run;
  const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'ignore'], cwd: '/', env: ENVIRONMENT });
  let broken: 'late' | 'talkative' | 'aborted' | undefined;
  const unending = Promise.withResolvers<Ending>();
  const stop = (why: typeof broken) => {
    broken ??= why;
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (child.pid !== undefined && isRunning && !killGroup(child.pid)) {
      // It runs on, and nothing waits for it.
      child.unref();
      unending.resolve({ how: 'late' });
    }
    // Who left the group may hold it open for ever.
    child.stdout.destroy();
  };
  const timer = setTimeout(() => stop('late'), Math.min(timeout, LONGEST_TIMER));
  const abort = () => stop('aborted');
  signal.addEventListener('abort', abort, { once: true });
  const output = collect(child, () => stop('talkative'));
  // It may end before it has read everything; how it ends tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  try {
    const ending = await Promise.race([endOf(child), unending.promise]);
    signal.throwIfAborted();
    if (broken === 'late' || broken === 'talkative') return { how: broken };
    return 'code' in ending && ending.how === 'exited' ? { ...ending, output: output.bytes() } : ending;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    output.wipe();
  }
}

/** Returns whether it ends. What runs as another user (sudo) may not be killed by us: that must not end the operator. */
function killGroup(leader: number): boolean {
  try {
    return process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    // Gone already: that it ended is about to be told.
    if (error.code === 'ESRCH') return true;
    if (error.code === 'EPERM') return false;
    throw error;
  }
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

function endOf(child: Child): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  child.once('error', (cause) => resolve({ how: 'not-run', code: 'code' in cause ? String(cause.code) : cause.name }));
  child.once('close', (code, name) => {
    if (code === null) resolve({ how: 'signal', signal: name ?? '' });
    else resolve({ how: 'exited', code, output: Buffer.alloc(0) });
  });
  return promise;
}

function collect(child: Child, tooMuch: () => void) {
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > MOST_OUTPUT) tooMuch();
  });
  return {
    bytes: () => Buffer.concat(chunks),
    wipe: () => {
      for (const chunk of chunks) chunk.fill(0);
    },
  };
}
