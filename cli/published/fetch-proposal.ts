import { requirePinned } from '../../core/keys/sealing-keys.ts';
import { PROPOSAL_LABEL } from '../../core/requests/published.ts';
import { type Proposal, readProposal } from '../../core/rotation/proposal.ts';
import { confirmId } from '../workspace/pinning.ts';
import { recipientOf, type Workspace } from '../workspace/workspace.ts';
import { publishedParts } from './parts.ts';
import type { PublishedPlace } from './place.ts';

/**
 * What the operator of a cluster proposes under an id (core/rotation/proposal-id.ts), signed by the identity that is pinned for that
 * cluster: whoever may write where it is published is not believed. Undefined: nothing.
 *
 * @throws CofferError PROPOSAL_*, RECIPIENT_UNKNOWN, RECIPIENT_UNPINNED, RECIPIENT_IDENTITY_CHANGED, what is wrong with the recipient's
 * file, REPOSITORY_ID_CHANGED, CLUSTER_*, FILE_SYSTEM
 */
export async function fetchProposal(
  workspace: Workspace,
  id: string,
  cluster: string,
  place: PublishedPlace,
): Promise<Proposal | undefined> {
  const parts = await publishedParts(PROPOSAL_LABEL, id, place);
  if (parts.length === 0) return undefined;
  const recipient = recipientOf(workspace, cluster);
  await confirmId(workspace);
  requirePinned(workspace.pins, recipient);
  return readProposal(parts, { id, cluster, identity: recipient.identity });
}
