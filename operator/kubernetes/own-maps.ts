import type { KubeClient } from './client.ts';
import { type ConfigMap, RESOURCES } from './resource.ts';

/** The ConfigMaps of the operator's own namespace. All throw CofferError KUBERNETES_*. */
export class OwnMaps {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** For people: where one is. */
  placeOf(name: string): string {
    return `ConfigMap ${this.#client.namespace}/${name}`;
  }

  get(name: string): Promise<ConfigMap | undefined> {
    return this.#client.get<ConfigMap>(RESOURCES.configMaps, { namespace: this.#client.namespace, name });
  }

  /** All that bear a label, or those on which it has this value. */
  async list(label: string, value?: string): Promise<ConfigMap[]> {
    const labelSelector = value === undefined ? label : `${label}=${value}`;
    const { namespace } = this.#client;
    return (await this.#client.list<ConfigMap>(RESOURCES.configMaps, { namespace, labelSelector })).items;
  }

  /** Makes it, or makes it right: fields that were the operator's and are not given are gone, and what others set of them is undone. */
  async apply(name: string, data: Readonly<Record<string, string>>, labels?: Record<string, string>): Promise<void> {
    const metadata = { namespace: this.#client.namespace, name, ...(labels === undefined ? {} : { labels }) };
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    await this.#client.apply(RESOURCES.configMaps, metadata, body, { force: true });
  }

  async delete(name: string): Promise<void> {
    await this.#client.delete(RESOURCES.configMaps, { namespace: this.#client.namespace, name });
  }
}
