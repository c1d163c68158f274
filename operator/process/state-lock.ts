import { mkdir } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import { lockDirectory } from '../../core/files/lock.ts';
import type { Closing } from './closing.ts';

/** Two operators on one state would undo each other's work. Throws CofferError `DIRECTORY_IN_USE`, `STATE_UNWRITABLE`. */
export async function lockState(directory: string, closing: Closing): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    closing.add(lockDirectory(directory, 'operator.lock', 'the state directory'), (lock) => lock.release());
  } catch (cause) {
    if (cause instanceof CofferError || !(cause instanceof Error && 'code' in cause)) throw cause;
    const message = `The operator cannot write in the state directory ${directory} (${String(cause.code)}).`;
    throw new CofferError('STATE_UNWRITABLE', message, {
      advice: 'Make the directory writable for the user that the operator runs as, or configure another.',
      data: { path: directory },
      loop: 'stop',
      cause,
    });
  }
}
