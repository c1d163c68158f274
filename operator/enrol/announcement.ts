import { join } from 'node:path';
import { orNothing } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { throwRefusal } from '../../core/files/system-error.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { type Recipient, readRecipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { RECIPIENT_CONFIG_MAP, RECIPIENT_FIELDS } from '../../core/requests/published.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import { type ConfigMap, RESOURCES } from '../kubernetes/resource.ts';

/** Where a cluster says who it is: a ConfigMap beside the operator, and a file in its state directory. */
export class Announcement {
  readonly #cluster: string;
  readonly #file: string;
  readonly #client: KubeClient | undefined;

  constructor(cluster: string, stateDirectory: string, client: KubeClient | undefined) {
    this.#cluster = cluster;
    this.#file = join(stateDirectory, RECIPIENT_FIELDS.file);
    this.#client = client;
  }

  /** What is announced, if it is a whole recipient of this name. In a cluster the ConfigMap decides. */
  async read(): Promise<Recipient | undefined> {
    const text =
      this.#client === undefined
        ? await readIfThere(this.#file)
        : (await this.#configMap(this.#client))?.data?.[RECIPIENT_FIELDS.file];
    if (text === undefined || text === '') return undefined;
    // Where somebody changed it, it is announced anew.
    return orNothing(() => readRecipient(Buffer.from(text), `${this.#cluster}.yaml`));
  }

  /**
   * Announces `recipient`; what another replica announced in the meantime is left, and given back.
   *
   * @param isRight of what is announced already
   */
  async write(recipient: Recipient, isRight: (announced: Recipient) => boolean): Promise<Recipient> {
    const announced = this.#client === undefined ? recipient : await this.#writeMap(this.#client, recipient, isRight);
    const text = renderRecipient(announced);
    if ((await readIfThere(this.#file)) !== text) await writeFileAtomically(this.#file, text).catch(throwRefusal);
    return announced;
  }

  async #writeMap(client: KubeClient, recipient: Recipient, isRight: (announced: Recipient) => boolean) {
    const there = await this.read();
    if (there !== undefined && isRight(there)) return there;
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: client.namespace, name: RECIPIENT_CONFIG_MAP },
      data: {
        cluster: recipient.name,
        identity: identityText(recipient.identity),
        [RECIPIENT_FIELDS.file]: renderRecipient(recipient),
      },
    };
    const before = await this.#configMap(client);
    if (before !== undefined) {
      await client.apply(RESOURCES.configMaps, body.metadata, body, { force: true });
      return recipient;
    }
    try {
      await client.create(RESOURCES.configMaps, body, { namespace: client.namespace });
      return recipient;
    } catch (error) {
      if (!(error instanceof KubernetesError && error.code === 'KUBERNETES_CONFLICT')) throw error;
      const winner = await this.read();
      if (winner !== undefined && isRight(winner)) return winner;
      throw error;
    }
  }

  #configMap(client: KubeClient): Promise<ConfigMap | undefined> {
    return client.get<ConfigMap>(RESOURCES.configMaps, { namespace: client.namespace, name: RECIPIENT_CONFIG_MAP });
  }
}
