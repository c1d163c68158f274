/** Costs of whole processes: wall clock, and CPU of the process and everything that it waited for. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Readable } from 'node:stream';

/** Milliseconds. */
export interface Cost {
  wall: number;
  cpu: number;
}

export interface Program {
  program: string;
  args: string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** File that standard input reads; absent: empty. */
  input?: string;
  /** File that standard output is written to; absent: dropped. */
  output?: string;
}

export interface Subject {
  name: string;
  run: Program;
  /** Puts the files back to how they were; not measured. */
  before?: () => void;
}

/**
 * The shell's own clock is in every place that has a shell, counts waited-for children, and resolves a millisecond;
 * node has no getrusage for children. The clock's line goes to descriptor 3, the program's errors to descriptor 2.
 */
const TIMED = `exec 4>&2; TIMEFORMAT='%3R %3U %3S'; { time "$@" 2>&4; } 2>&3`;

/** Runs it once. Throws with its standard error if it fails: a failure must not count as fast. */
export function runOnce(run: Program): Cost {
  const { stdio, close } = streams(run);
  try {
    const { status, output } = spawnSync('bash', timed(run), {
      ...surroundings(run),
      stdio,
      maxBuffer: 64 * 1024 * 1024,
    });
    const [errors = '', clock = ''] = [output?.[2], output?.[3]].map((bytes) => bytes?.toString() ?? '');
    return costOf(run, status, errors, clock);
  } finally {
    close();
  }
}

/** The same while this process goes on: what runs may ask a server that is in it. */
export async function runBeside(run: Program): Promise<Cost> {
  const { stdio, close } = streams(run);
  const child = spawn('bash', timed(run), { ...surroundings(run), stdio });
  const outputs = [child.stdio[2], child.stdio[3]].map(async (stream) => {
    return stream instanceof Readable ? (await stream.setEncoding('utf8').toArray()).join('') : '';
  });
  try {
    const [[status], errors = '', clock = ''] = await Promise.all([once(child, 'exit'), ...outputs]);
    return costOf(run, status, errors, clock);
  } finally {
    close();
  }
}

type Streams = [number, number, 'pipe', 'pipe'];

function streams({ input, output }: Program): { stdio: Streams; close: () => void } {
  const [stdin, stdout] = [openSync(input ?? '/dev/null', 'r'), openSync(output ?? '/dev/null', 'w', 0o600)];
  const close = (): void => {
    closeSync(stdin);
    closeSync(stdout);
  };
  return { stdio: [stdin, stdout, 'pipe', 'pipe'], close };
}

function timed({ program, args }: Program): string[] {
  return ['-c', TIMED, 'bash', program, ...args];
}

function surroundings({ cwd, env }: Program): { cwd: string | undefined; env: NodeJS.ProcessEnv } {
  return { cwd, env: env ?? process.env };
}

function costOf({ program, args }: Program, status: number | null, errors: string, clock: string): Cost {
  if (status !== 0) {
    throw new Error(`${program} ${args.slice(0, 4).join(' ')} failed (${status}): ${errors.slice(0, 2000)}`);
  }
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = clock.trim().split(' ').map(Number);
  return { wall: wall * 1000, cpu: (user + system) * 1000 };
}

/** What each subject cost in each round. */
export type Rounds = ReadonlyMap<string, readonly Cost[]>;

/**
 * Runs each subject `rounds` times, after one time that is not counted. The subjects take turns, so that a machine that is
 * busy for a while is busy for all of them, and costs of one round can be compared.
 */
export function measure(subjects: readonly Subject[], rounds: number, { warmUp = true } = {}): Rounds {
  const runs = new Map<string, Cost[]>(subjects.map(({ name }) => [name, []]));
  for (let round = warmUp ? -1 : 0; round < rounds; round++) {
    for (const { name, run, before } of subjects) {
      before?.();
      const cost = runOnce(run);
      if (round >= 0) runs.get(name)?.push(cost);
    }
  }
  return runs;
}

export function medians(rounds: Rounds): Map<string, Cost> {
  return new Map([...rounds].map(([name, costs]) => [name, medianCost(costs)]));
}

export function medianCost(costs: readonly Cost[]): Cost {
  return { wall: median(costs.map(({ wall }) => wall)), cpu: median(costs.map(({ cpu }) => cpu)) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** The time that a share of the values stays within. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
