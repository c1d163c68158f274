import { milliseconds } from '../../core/duration.ts';
import { CofferError } from '../../core/errors.ts';
import { DURATION, PATTERN_ADVICE } from '../../schemas/grammar.ts';

/** Milliseconds of what was typed. Throws USAGE. */
export function durationOf(text: string): number {
  if (new RegExp(DURATION).test(text)) return milliseconds(text);
  throw new CofferError('USAGE', `${text} is no duration`, { advice: `Use ${PATTERN_ADVICE[DURATION]}.`, exit: 2 });
}
