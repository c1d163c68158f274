import { CofferError } from '../../../core/errors.ts';
import { recipientFile } from '../../../core/keys/create.ts';
import { identityText } from '../../../core/keys/key-texts.ts';
import { type Recipient, readRecipient } from '../../../core/keys/recipient.ts';
import { sealingKeys } from '../../../core/keys/sealing-keys.ts';
import type { Proposal } from '../../../core/rotation/proposal.ts';
import { proposalId } from '../../../core/rotation/proposal-id.ts';
import { fetchProposal } from '../../published/fetch-proposal.ts';
import type { PublishedPlace } from '../../published/place.ts';
import { applyToWorkingTree } from '../../published/working-tree.ts';
import { recipientOf, type Workspace } from '../../workspace/workspace.ts';

export interface Rewrapped {
  /** Of the newest key, as far as anything is proposed. */
  keyId: string | undefined;
  /** Paths that were written or removed, from the root; with `isDry` that would be. */
  files: string[];
  /** What the operator could not open: path → why. */
  refused: ReadonlyMap<string, string>;
  /** Nothing is published. */
  isNothing: boolean;
}

/**
 * Puts into the working tree what the operator of a cluster made of its own stanzas and key, once all of it is that cluster's: signed,
 * and the key endorsed, by the identity that is pinned, and stanzas for nobody else.
 *
 * @throws CofferError PROPOSAL_*, RECIPIENT_UNKNOWN, RECIPIENT_UNPINNED, RECIPIENT_IDENTITY_CHANGED, what `readRecipient` throws
 */
export async function rewrapAsProposed(
  workspace: Workspace,
  name: string,
  { place, isDry }: { place: PublishedPlace; isDry: boolean },
): Promise<Rewrapped> {
  const own = recipientOf(workspace, name);
  const proposal = await fetchProposal(workspace, proposalId('rewrap', name), name, place);
  if (proposal === undefined) return { keyId: undefined, files: [], refused: new Map(), isNothing: true };
  refuseForeign(proposal, name);
  const proposed = proposedRecipient(workspace, own, proposal);
  const files = await applyToWorkingTree(workspace, proposal, { isDry });
  return { keyId: proposed.keys[0]?.kid, files, refused: proposal.refused, isNothing: false };
}

/** The recipient as proposed, or as the keyring has it where nothing of it changes. */
function proposedRecipient(workspace: Workspace, own: Recipient, { recipient }: Proposal): Recipient {
  const proposed =
    recipient === undefined ? own : readRecipient(Buffer.from(recipient.text), recipientFile(recipient.name));
  if (!proposed.identity.equals(own.identity) || proposed.type !== own.type) {
    throw new CofferError(
      'PROPOSAL_IDENTITY',
      `What is proposed for ${own.name} is not of the identity in the keyring.`,
      {
        advice: `Somebody else may have published it: ask who runs ${own.name} for its identity, ${identityText(own.identity)} in the keyring.`,
        data: { recipient: own.name, file: own.file },
        exit: 1,
      },
    );
  }
  // For what it throws: the pinned identity alone says whose keys these are.
  sealingKeys({ recipients: new Map([[own.name, proposed]]), problems: [] }, workspace.pins, [own.name]);
  return proposed;
}

/** An operator rewraps for its own cluster alone (docs/format.md, "What is bound and what is not"). */
function refuseForeign({ id, recipient, stanzas, values, fulfils }: Proposal, name: string): void {
  const isOwn =
    (recipient === undefined || recipient.name === name) &&
    [...stanzas.values()].every((row) => [...row.keys()].every((to) => to === name)) &&
    values.length === 0 &&
    fulfils.every((request) => request.startsWith(`rotate-${name}-`) || request.startsWith(`retire-${name}-`));
  if (isOwn) return;
  throw new CofferError('PROPOSAL_FOREIGN', `${id} would change more than the key and the stanzas of ${name}.`, {
    advice: 'An operator proposes this for its own cluster alone: find out who published it.',
    data: { recipient: name },
    exit: 1,
  });
}
