import { CofferError } from '../../core/errors.ts';
import { PROPOSAL_LABEL } from '../../core/requests/published.ts';
import { type Proposal, proposalParts, readProposal } from '../../core/rotation/proposal.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { PublishedParts } from '../requests/published-parts.ts';

/** Where people and CI find what this operator proposes: `proposals/ID.jsonl` of the state directory, and ConfigMaps in a cluster. */
export class Proposals {
  readonly #parts: PublishedParts;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    const place = { folder: 'proposals', label: PROPOSAL_LABEL, prefix: 'coffer-proposal' };
    this.#parts = new PublishedParts({ stateDirectory, client, ...place });
  }

  /** In the place of what was published under its id; writes nothing that is there already. Throws CofferError FILE_SYSTEM, KUBERNETES_*. */
  async publish(proposal: Proposal): Promise<void> {
    await this.#parts.write(proposal.id, proposalParts(proposal));
  }

  /** That there is none is no error. Throws CofferError FILE_SYSTEM, KUBERNETES_*. */
  async withdraw(id: string): Promise<void> {
    await this.#parts.remove(id);
  }

  /** As this or an earlier run published it; undefined: not, or it is damaged, and is made anew. */
  async read(id: string): Promise<Proposal | undefined> {
    const parts = await this.#parts.read(id);
    try {
      return parts.length === 0 ? undefined : readProposal(parts);
    } catch (error) {
      if (error instanceof CofferError) return undefined;
      throw error;
    }
  }
}
