import { CofferError } from '../../core/errors.ts';
import { plainLine } from '../../core/plain-line.ts';

const LENGTH = { shortest: 3, longest: 500 };

/** Why somebody reads a value, for the record. Throws CofferError `BREAK_GLASS_REASON`. */
export function readReason(reason: unknown): string {
  const line = plainLine(reason, LENGTH);
  if (line !== undefined) return line;
  throw new CofferError('BREAK_GLASS_REASON', 'The reason is missing, too long, or not one line of plain text.', {
    advice: `Say why in ${LENGTH.shortest} to ${LENGTH.longest} characters, such as the number of the incident; it goes into the record.`,
    exit: 2,
  });
}
