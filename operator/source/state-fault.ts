import { CofferError } from '../../core/errors.ts';
import { fromSystemError } from '../../core/files/system-error.ts';

/** What the system says of the state directory (a full disk, say): nothing was lost, and it is tried again. Gives back other errors. */
export function stateFault(error: unknown, stateDirectory: string): unknown {
  const known = error instanceof CofferError ? undefined : fromSystemError(error);
  // The error of a write names no file; and nothing is written elsewhere.
  if (known?.data.path?.startsWith(stateDirectory) === false || known === undefined) return known ?? error;
  const { message, data } = known;
  const advice = 'Give the state directory room, and let the operator write there; it is tried again.';
  return new CofferError('STATE_UNWRITABLE', message, { advice, data, loop: 'retry', cause: error });
}
