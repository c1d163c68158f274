import { CofferError } from '../../core/errors.ts';
import { PROPOSAL_LABEL } from '../../core/requests/published.ts';
import { type Proposal, readProposal } from '../../core/rotation/proposal.ts';
import type { RecipientPlace } from './fetch-recipient.ts';
import { publishedParts } from './published-parts.ts';

/**
 * What the operator of a cluster proposes under an id (core/rotation/proposal-id.ts); undefined: nothing.
 *
 * @throws CofferError PROPOSAL_DAMAGED, PROPOSAL_PARTS, PROPOSAL_OTHER (of another cluster, or another matter), CLUSTER_*, FILE_SYSTEM
 */
export async function fetchProposal(id: string, cluster: string, place: RecipientPlace): Promise<Proposal | undefined> {
  const parts = await publishedParts(PROPOSAL_LABEL, id, place);
  if (parts.length === 0) return undefined;
  const proposal = readProposal(parts);
  if (proposal.id === id && proposal.cluster === cluster) return proposal;
  throw new CofferError('PROPOSAL_OTHER', `this is ${proposal.id} of ${proposal.cluster}, not ${id} of ${cluster}`, {
    advice: 'Name the cluster whose operator published it, or its own context or file.',
    data: { recipient: cluster, name: id },
  });
}
