/** Costs of whole processes: wall clock, and CPU of the process and everything that it waited for. */

import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

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
export function runOnce({ program, args, cwd, env, input, output }: Program): Cost {
  const stdin = openSync(input ?? '/dev/null', 'r');
  const stdout = openSync(output ?? '/dev/null', 'w', 0o600);
  try {
    const { status, output: outputs } = spawnSync('bash', ['-c', TIMED, 'bash', program, ...args], {
      cwd,
      env: env ?? process.env,
      stdio: [stdin, stdout, 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
    const [errors, clock] = [outputs?.[2], outputs?.[3]].map((bytes) => bytes?.toString() ?? '');
    if (status !== 0)
      throw new Error(`${program} ${args.slice(0, 4).join(' ')} failed (${status}): ${errors?.slice(0, 2000)}`);
    const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = (clock ?? '').trim().split(' ').map(Number);
    return { wall: wall * 1000, cpu: (user + system) * 1000 };
  } finally {
    closeSync(stdin);
    closeSync(stdout);
  }
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
