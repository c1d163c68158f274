import { CofferError } from '../../core/errors.ts';
import { type Log, openLog, type RecordingLog } from './log.ts';

export interface Signals {
  /** SIGTERM or SIGINT came. A second one ends the process at once. */
  ended: AbortSignal;
  /** Calls back at each SIGHUP, which until then is ignored. */
  onHangUp(listener: () => void): void;
}

const STANDARD_OUTPUT = 1;

/**
 * Runs a program with this process's signals, log and exit code, and sees to it that neither an error nor a crash carries a
 * value out of the process: what was thrown is logged in allow-listed parts, and Node writes no reports, which would hold
 * the environment and pieces of the heap.
 */
export async function runProcess(program: (log: RecordingLog, signals: Signals) => Promise<number>): Promise<void> {
  const log = openLog(STANDARD_OUTPUT);
  forbidReports();
  const die = (error: unknown) => {
    log.thrown(error);
    process.exit(3);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  try {
    process.exitCode = await program(log, listen(log));
  } catch (error) {
    log.thrown(error);
    process.exitCode = error instanceof CofferError ? error.exit : 3;
  }
  // Nothing is left to do, whatever a library still keeps open.
  process.exit();
}

function forbidReports(): void {
  process.report.reportOnFatalError = false;
  process.report.reportOnSignal = false;
  process.report.reportOnUncaughtException = false;
}

function listen(log: Log): Signals {
  const ending = new AbortController();
  let hangUp = () => {};
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (ending.signal.aborted) process.exit(3);
      log.info('stopping', { signal });
      ending.abort();
    });
  }
  process.on('SIGHUP', () => hangUp());
  return {
    ended: ending.signal,
    onHangUp: (listener) => {
      hangUp = listener;
    },
  };
}
