import type { KubeClient } from '../kubernetes/client.ts';
import { type KubeObject, RESOURCES } from '../kubernetes/resource.ts';
import { Remembered } from './remembered.ts';

/** Where the newest checkpoint of each log of this cluster is, outside of the log's own volume: log id → signed note. */
export interface WitnessStore {
  /** Throws CofferError. */
  read(): Promise<ReadonlyMap<string, string>>;
  /** Puts one there, and takes away those that are named. Throws CofferError. */
  write(id: string, checkpoint: string, gone: readonly string[]): Promise<void>;
}

/** Of the operator's namespace; with the operator's rights to ConfigMaps it is one write for each checkpoint. */
export const WITNESS_CONFIG_MAP = 'coffer-audit';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** In the cluster, where the replica that leads next finds it. */
export class WitnessMap implements WitnessStore {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  async read(): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries((await this.#get())?.data ?? {}));
  }

  /** Each log has a key of its own, so that nobody's write is another's. */
  async write(id: string, checkpoint: string, gone: readonly string[]): Promise<void> {
    const { namespace } = this.#client;
    const name = { namespace, name: WITNESS_CONFIG_MAP };
    if ((await this.#get()) === undefined) {
      const metadata = { ...name, labels: { 'app.kubernetes.io/managed-by': 'coffer-operator' } };
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [id]: checkpoint } };
      await this.#client.create(RESOURCES.configMaps, body, { namespace });
      return;
    }
    const data = { ...Object.fromEntries(gone.map((other) => [other, null])), [id]: checkpoint };
    await this.#client.patch(RESOURCES.configMaps, name, { data }, { type: 'merge' });
  }

  #get(): Promise<ConfigMap | undefined> {
    return this.#client.get<ConfigMap>(RESOURCES.configMaps, {
      namespace: this.#client.namespace,
      name: WITNESS_CONFIG_MAP,
    });
  }
}

/** On a plain host: in the state directory, which is at best on another disk than the log. */
export class WitnessFile implements WitnessStore {
  readonly #remembered: Remembered;

  constructor(stateDirectory: string) {
    this.#remembered = new Remembered(stateDirectory, 'audit-checkpoints.json');
  }

  read(): Promise<ReadonlyMap<string, string>> {
    return this.#remembered.read();
  }

  async write(id: string, checkpoint: string, gone: readonly string[]): Promise<void> {
    const texts = new Map(await this.#remembered.read());
    for (const other of gone) texts.delete(other);
    await this.#remembered.write(texts.set(id, checkpoint));
  }
}
