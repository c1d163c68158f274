import { CofferError } from '../../../core/errors.ts';

/** What the status says of a secret that a mistake of ours kept from being worked on; the mistake itself goes to the log. */
export function unexpected(cause: unknown): CofferError {
  return new CofferError('RECONCILE_UNEXPECTED', 'an unexpected error of the operator ended the work on this secret', {
    advice: 'Report it with the line that the log has of it; what is projected stays, and it is tried again.',
    loop: 'retry',
    cause,
  });
}
