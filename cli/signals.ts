import { constants } from 'node:os';
import { removePendingFiles } from '../core/files/atomic.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const cleanups = new Set<() => void>();
let areInterruptsOurs = true;

/** Ctrl-C and `kill` leave nothing behind: half-written files are removed, and the cleanups of `withCleanup` run, first. */
export function cleanUpOnSignals(): void {
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (signal === 'SIGINT' && !areInterruptsOurs) return;
      runCleanups();
      process.exit(128 + constants.signals[signal]);
    });
  }
}

/**
 * Runs `work`; `cleanup` (synchronous, may run twice) is called when it ends, fails, or a signal ends the process.
 */
export async function withCleanup<Result>(cleanup: () => void, work: () => Promise<Result>): Promise<Result> {
  cleanups.add(cleanup);
  try {
    return await work();
  } finally {
    cleanup();
    cleanups.delete(cleanup);
  }
}

/** While `work` runs, Ctrl-C is for the program that it started. */
export async function withoutInterrupts<Result>(work: () => Promise<Result>): Promise<Result> {
  areInterruptsOurs = false;
  try {
    return await work();
  } finally {
    areInterruptsOurs = true;
  }
}

function runCleanups(): void {
  removePendingFiles();
  for (const cleanup of cleanups) cleanup();
}
