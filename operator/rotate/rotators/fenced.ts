import type { Rotator } from './rotator.ts';

/**
 * A rotator that changes nothing for an operator that leads no more: the API server would not keep it from a database, and the one that
 * leads now may have put into use what this one takes for the former credential.
 *
 * @param mayWrite throws unless this operator leads
 */
export function fenced(rotator: Rotator, mayWrite: () => void): Rotator {
  return {
    name: rotator.name,
    isConfined: rotator.isConfined,
    entriesOf: (entry) => rotator.entriesOf(entry),
    next: (current, entries) => rotator.next(current, entries),
    install: async (change, signal) => {
      mayWrite();
      await rotator.install(change, signal);
    },
    verify: async (change, signal) => {
      mayWrite();
      await rotator.verify(change, signal);
    },
    retire: async (change, options, signal) => {
      mayWrite();
      return await rotator.retire(change, options, signal);
    },
  };
}
