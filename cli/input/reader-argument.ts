import { CofferError } from '../../core/errors.ts';

/** `READER` or `READER=ENTRY,…`. Throws READER_ARGUMENT. */
export function parseReader(typed: string): { reader: string; entries: string[] | undefined } {
  const equals = typed.indexOf('=');
  if (equals === -1) return { reader: typed, entries: undefined };
  const entries = typed.slice(equals + 1).split(',');
  if (entries.includes('')) {
    throw new CofferError('READER_ARGUMENT', 'an entry is missing after `=` or `,`', {
      advice: 'Write READER for all entries, or READER=ENTRY,ENTRY without spaces.',
      exit: 2,
    });
  }
  return { reader: typed.slice(0, equals), entries: [...new Set(entries)] };
}
