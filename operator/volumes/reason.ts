import { CofferError } from '../../core/errors.ts';

const SHORTEST = 3;
const LONGEST = 500;

/**
 * Why somebody reads a value, for the record: one line that a person can read there. Throws CofferError `BREAK_GLASS_REASON`. Control
 * and format characters (line breaks, escapes, text direction) would let a reason look like something else.
 */
export function readReason(reason: unknown): string {
  const text = typeof reason === 'string' ? reason.trim() : '';
  if (text.length >= SHORTEST && text.length <= LONGEST && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) return text;
  throw new CofferError('BREAK_GLASS_REASON', 'The reason is missing, too long, or not one line of plain text.', {
    advice: `Say why in ${SHORTEST} to ${LONGEST} characters, such as the number of the incident; it goes into the record.`,
    exit: 2,
  });
}
