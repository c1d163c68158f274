import type { KubeClient } from './client.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { RESOURCES } from './resource.ts';

const LABEL = 'coffer.dev/leader';

/** The label by which the Service finds the pod that leads. */
export class LeaderLabel {
  readonly #client: KubeClient;
  readonly #pod: string | undefined;

  /** `pod`: absent outside a cluster, where there is nothing to label. */
  constructor(client: KubeClient, pod: string | undefined) {
    this.#client = client;
    this.#pod = pod;
  }

  /**
   * A container that was killed and started again in its pod finds the label of its forerunner. Where it cannot be set, only the
   * Service misses it. By way of the status, where labels can be changed and images cannot: beside the operator run privileged pods.
   */
  async set(leads: boolean): Promise<void> {
    if (this.#pod === undefined) return;
    const name = { namespace: this.#client.namespace, name: this.#pod };
    const change = { metadata: { labels: { [LABEL]: leads ? 'true' : null } } };
    try {
      await this.#client.patch(RESOURCES.pods, name, change, { type: 'merge', subresource: 'status' });
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
    }
  }
}
