import { createHash } from 'node:crypto';
import { proposalText } from './document.ts';
import type { Proposal } from './proposal.ts';

const known = new WeakMap<Proposal, string>();

/**
 * SHA-256 in hex of what is to be changed: proposals that say the same upon other commits have the same. Remembered for the object, since
 * a proposal may be many megabytes.
 */
export function contentOf(proposal: Proposal): string {
  const before = known.get(proposal);
  if (before !== undefined) return before;
  const digest = createHash('sha256')
    .update(proposalText({ ...proposal, commit: '' }))
    .digest('hex');
  known.set(proposal, digest);
  return digest;
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
