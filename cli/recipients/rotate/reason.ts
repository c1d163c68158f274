import { CofferError } from '../../../core/errors.ts';
import { plainLine } from '../../../core/plain-line.ts';

/** For the record: one line. Throws ROTATE_REASON. */
export function checkReason(reason: string | undefined): string | undefined {
  if (reason === undefined) return undefined;
  const line = plainLine(reason, { shortest: 1, longest: 500 });
  if (line !== undefined) return line;
  throw new CofferError('ROTATE_REASON', 'A reason is one line of at most 500 characters.', {
    advice: 'Say it in fewer words, with the number of the incident.',
    exit: 2,
  });
}
