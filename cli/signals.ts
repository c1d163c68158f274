import { constants } from 'node:os';
import { removePendingFiles } from '../core/files/atomic.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const cleanups = new Set<() => void>();

/** Ctrl-C and `kill` leave nothing behind: half-written files and what `duringCleanup` was told of are removed first. */
export function cleanUpOnSignals(): void {
  for (const signal of SIGNALS) {
    process.on(signal, () => {
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

function runCleanups(): void {
  removePendingFiles();
  for (const cleanup of cleanups) cleanup();
}
