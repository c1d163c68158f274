import { CofferError } from '../../core/errors.ts';

const TIME = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/**
 * The moment that was typed: a day, which begins in UTC, or a time with its zone (ISO 8601), so that it means the same wherever it is
 * typed. Throws CofferError `TIME_INVALID`.
 */
export function timeFrom(text: string): Date {
  const [, day = ''] = TIME.exec(text) ?? [];
  const time = new Date(text);
  // JavaScript takes February 30 for March 2.
  if (day !== '' && isDay(day) && !Number.isNaN(time.getTime())) return time;
  throw new CofferError('TIME_INVALID', `${JSON.stringify(text)} is no time.`, {
    advice: 'Write 2026-11-21, which begins in UTC, or 2026-11-21T09:00Z.',
    exit: 2,
  });
}

function isDay(day: string): boolean {
  const time = new Date(day);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day);
}
