import { CofferError, type ErrorData } from '../../../core/errors.ts';
import { systemCode } from '../folder/open-folder.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'ENFILE', 'EMFILE', 'ENOMEM']);

/** An error of the system while projecting, as a CofferError that tells the loop to try again; a CofferError stays. */
export function projectionFailure(error: unknown, data: ErrorData): CofferError {
  if (error instanceof CofferError) return error.at(data);
  const code = systemCode(error);
  if (code === undefined) throw error;
  if (FULL.has(code)) {
    return new CofferError(
      'PROJECTION_FULL',
      `There is no room to write the new entries (${code}); the old ones stay.`,
      {
        advice:
          'Make room in the file system of the projection, or mount it larger; the operator tries again by itself.',
        data,
        loop: 'retry',
        cause: error,
      },
    );
  }
  return new CofferError(
    'PROJECTION_UNWRITABLE',
    `The new entries could not be written (${code}); the old ones stay.`,
    {
      advice: 'See that the operator may write to the directory of the projection and give files to the workload.',
      data,
      loop: 'retry',
      cause: error,
    },
  );
}

/** Something stands where a projection should, and this operator did not make it. */
export function notOurs(what: string, data: ErrorData): CofferError {
  return new CofferError('PROJECTION_NOT_OURS', what, {
    advice: 'Move it away if nobody needs it, or choose another path for the projection.',
    data,
    loop: 'wait',
  });
}
