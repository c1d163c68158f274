import { isDeepStrictEqual } from 'node:util';
import type { Proposal } from './proposal.ts';

/** Whether both change the same, upon whatever commits they were made. */
export function isSame(one: Proposal, other: Proposal): boolean {
  return one === other || isDeepStrictEqual({ ...one, commit: '' }, { ...other, commit: '' });
}

/** Whether there is nothing in it that a repository could take. */
export function isEmpty({ recipient, stanzas, seeds, values, fulfils }: Proposal): boolean {
  return (
    recipient === undefined &&
    stanzas.size === 0 &&
    (seeds?.size ?? 0) === 0 &&
    values.length === 0 &&
    fulfils.length === 0
  );
}
