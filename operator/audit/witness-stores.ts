import type { KubeClient } from '../kubernetes/client.ts';
import { type ConfigMap, RESOURCES } from '../kubernetes/resource.ts';
import { TextsFile } from './texts-file.ts';

/** Texts outside of the log's own volume: LOGID → the newest checkpoint of that log, and LOGID.published → when that was. */
export interface WitnessStore {
  /** Throws CofferError. */
  read(): Promise<ReadonlyMap<string, string>>;
  /** Puts these there, and takes away those that are named. Throws CofferError. */
  write(texts: ReadonlyMap<string, string>, gone: readonly string[]): Promise<void>;
}

/** Of the operator's namespace; with the operator's rights to ConfigMaps it is one write for each checkpoint. */
const WITNESS_CONFIG_MAP = 'coffer-audit';

/** In the cluster, where the replica that leads next finds it. */
export class WitnessMap implements WitnessStore {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  async read(): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries((await this.#get())?.data ?? {}));
  }

  /** Each log has keys of its own, so that nobody's write is another's. */
  async write(texts: ReadonlyMap<string, string>, gone: readonly string[]): Promise<void> {
    const { namespace } = this.#client;
    const name = { namespace, name: WITNESS_CONFIG_MAP };
    if ((await this.#get()) === undefined) {
      const metadata = { ...name, labels: { 'app.kubernetes.io/managed-by': 'coffer-operator' } };
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: Object.fromEntries(texts) };
      await this.#client.create(RESOURCES.configMaps, body, { namespace });
      return;
    }
    const data = Object.fromEntries([...gone.map((other) => [other, null]), ...texts]);
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
  readonly #remembered: TextsFile;

  constructor(stateDirectory: string) {
    this.#remembered = new TextsFile(stateDirectory, 'audit-checkpoints.json');
  }

  read(): Promise<ReadonlyMap<string, string>> {
    return this.#remembered.read();
  }

  async write(texts: ReadonlyMap<string, string>, gone: readonly string[]): Promise<void> {
    const former = new Map(await this.#remembered.read());
    for (const other of gone) former.delete(other);
    await this.#remembered.write(new Map([...former, ...texts]));
  }
}
