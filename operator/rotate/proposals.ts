import { CofferError, orNothing } from '../../core/errors.ts';
import { identityOf } from '../../core/keys/endorsement.ts';
import { PROPOSAL_LABEL } from '../../core/requests/published.ts';
import { type Proposal, proposalParts, readProposal } from '../../core/rotation/proposal.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { withIdentity } from '../keys/with-identity.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { Outbox } from '../outbox/outbox.ts';

export interface ProposalsOptions {
  cluster: string;
  stateDirectory: string;
  client?: KubeClient | undefined;
  /** Whose identity signs. */
  store: Pick<KeyStore, 'readIdentity' | 'place'>;
}

/**
 * Where people and CI find what this operator proposes: `proposals/ID.jsonl` of the state directory, and ConfigMaps in a cluster. All of
 * it is signed here, and nothing counts that is not: others may write ConfigMaps, too.
 */
export class Proposals {
  readonly #outbox: Outbox;
  readonly #options: ProposalsOptions;

  constructor(options: ProposalsOptions) {
    const place = { folder: 'proposals', label: PROPOSAL_LABEL, prefix: 'coffer-proposal' };
    this.#outbox = new Outbox({ ...place, stateDirectory: options.stateDirectory, client: options.client });
    this.#options = options;
  }

  /**
   * In the place of what was published under its id; writes nothing that is there already.
   *
   * @param about called once it is signed, and before any of it lies there
   * @throws CofferError PROPOSAL_NO_IDENTITY, what the key store throws, FILE_SYSTEM, KUBERNETES_*; what `about` throws
   */
  async publish(proposal: Proposal, about: () => Promise<void> = async () => undefined): Promise<void> {
    const parts = await withIdentity(this.#options.store, (seed) => proposalParts(proposal, seed));
    if (parts === undefined) throw this.#noIdentity(proposal.id);
    await about();
    await this.#outbox.write(proposal.id, parts);
  }

  /** For people: which flags let `coffer` find it, and in a cluster where else it is seen. */
  placeOf(id: string): string {
    const { client } = this.#options;
    if (client === undefined) return `--from-file ${this.#outbox.fileOf(id)}`;
    const { namespace } = client;
    return `--from-cluster --namespace ${namespace} (ConfigMaps with the label ${PROPOSAL_LABEL}=${id})`;
  }

  /** That there is none is no error. Throws CofferError FILE_SYSTEM, KUBERNETES_*. */
  async withdraw(id: string): Promise<void> {
    await this.#outbox.remove(id);
  }

  /** As this or an earlier run published it; undefined: not, or it is damaged or somebody else's, and is made anew. */
  async read(id: string): Promise<Proposal | undefined> {
    const parts = await this.#outbox.read(id);
    if (parts.length === 0) return undefined;
    const identity = await withIdentity(this.#options.store, identityOf);
    return identity && orNothing(() => readProposal(parts, { id, cluster: this.#options.cluster, identity }));
  }

  #noIdentity(id: string): CofferError {
    const { cluster, store } = this.#options;
    return new CofferError(
      'PROPOSAL_NO_IDENTITY',
      `${id} is not published: what is proposed has to be signed, and the identity of ${cluster} is not in ${store.place}.`,
      {
        advice: `Put the identity of ${cluster} there, from where it was made or from its backup; nobody takes over what it did not sign.`,
        data: { recipient: cluster, path: store.place },
        loop: 'retry',
      },
    );
  }
}
