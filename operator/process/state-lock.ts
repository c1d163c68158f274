import { mkdir } from 'node:fs/promises';
import { CofferError, type ErrorOptions } from '../../core/errors.ts';
import { lockDirectory } from '../../core/files/lock.ts';
import type { Closing } from './closing.ts';

const STATE = 'the state directory';

/** Two operators on one state would undo each other's work. Throws CofferError `DIRECTORY_IN_USE`, `STATE_UNWRITABLE`, `AUDIT_UNWRITABLE`. */
export async function lockState(
  { stateDirectory, audit }: { stateDirectory: string; audit: { directory: string } },
  closing: Closing,
): Promise<void> {
  for (const [directory, file, what] of [
    [stateDirectory, 'operator.lock', STATE],
    [audit.directory, 'audit.lock', 'the audit directory'],
  ] as const) {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      closing.add(lockDirectory(directory, file, what), (lock) => lock.release());
    } catch (error) {
      throw unwritable(error, directory, what);
    }
  }
}

function unwritable(cause: unknown, directory: string, what: string): unknown {
  if (cause instanceof CofferError || !(cause instanceof Error && 'code' in cause)) return cause;
  const message = `The operator cannot write in ${what} ${directory} (${String(cause.code)}).`;
  const options: ErrorOptions = {
    advice: 'Make the directory writable for the user that the operator runs as, or configure another.',
    data: { path: directory },
    loop: 'stop',
    cause,
  };
  return what === STATE
    ? new CofferError('STATE_UNWRITABLE', message, options)
    : new CofferError('AUDIT_UNWRITABLE', message, options);
}
