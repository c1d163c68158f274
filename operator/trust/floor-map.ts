import { parseJson } from '../../core/json.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import { type ConfigMap, RESOURCES } from '../kubernetes/resource.ts';
import { type Floor, type FloorStore, isFloor } from './floors.ts';

/** Of the operator's namespace: source id → a floor as JSON. */
const CONFIG_MAP = 'coffer-accepted';
/** Of more sources, or bytes of them, the oldest are forgotten that nobody follows any more: an object may have 1 MiB. */
const MOST = 200;
const MOST_BYTES = 1_000_000;
/** Others write other sources' keys at the same time at most. */
const TRIES = 3;

/** In the cluster: outlives the state directory, and is there for the replica that leads next. */
export class FloorMap implements FloorStore {
  readonly #client: KubeClient;
  readonly #followed: ReadonlySet<string>;

  /** `followed`: ids of the sources that are configured. */
  constructor(client: KubeClient, followed: ReadonlySet<string>) {
    this.#client = client;
    this.#followed = followed;
  }

  /** Throws KubernetesError. What is no floor is left out: it binds nothing, and whoever may write it may remove it too. */
  async read(): Promise<Floor[]> {
    return Object.values((await this.#get())?.data ?? {}).flatMap((text) => floorFrom(text) ?? []);
  }

  /** The version that was read is a precondition: a leader that was paused in between overwrites nothing of the next one. */
  async write(floor: Floor): Promise<Floor> {
    for (let tries = 1; ; tries++) {
      const before = await this.#get();
      const there = floorFrom(before?.data?.[floor.source] ?? '');
      if (there !== undefined && there.generation > floor.generation) return there;
      try {
        await this.#put(floor, before);
        return floor;
      } catch (error) {
        const isRaced = error instanceof KubernetesError && error.code === 'KUBERNETES_CONFLICT';
        if (!isRaced || tries === TRIES) throw error;
      }
    }
  }

  async #put(floor: Floor, before: ConfigMap | undefined): Promise<void> {
    const { namespace } = this.#client;
    const name = { namespace, name: CONFIG_MAP };
    const data = { [floor.source]: JSON.stringify(floor) };
    if (before === undefined) {
      const metadata = { ...name, labels: { 'app.kubernetes.io/managed-by': 'coffer-operator' } };
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
      await this.#client.create(RESOURCES.configMaps, body, { namespace });
      return;
    }
    const { resourceVersion } = before.metadata;
    const patch = {
      metadata: { resourceVersion },
      data: { ...this.#forgotten({ ...before.data, ...data }, floor.source), ...data },
    };
    await this.#client.patch(RESOURCES.configMaps, name, patch, { type: 'merge' });
  }

  /** What has to go, as a merge patch says it. */
  #forgotten(data: Readonly<Record<string, string>>, written: string): Record<string, null> {
    const sizes = new Map(Object.entries(data).map(([source, text]) => [source, Buffer.byteLength(source + text)]));
    let bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    const timeOf = (source: string) => floorFrom(data[source] ?? '')?.time ?? '';
    const others = [...sizes.keys()].filter((source) => source !== written && !this.#followed.has(source));
    const gone: Record<string, null> = Object.create(null);
    for (const source of others.toSorted((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1))) {
      if (sizes.size <= MOST && bytes <= MOST_BYTES) break;
      bytes -= sizes.get(source) ?? 0;
      sizes.delete(source);
      gone[source] = null;
    }
    return gone;
  }

  #get(): Promise<ConfigMap | undefined> {
    return this.#client.get<ConfigMap>(RESOURCES.configMaps, { namespace: this.#client.namespace, name: CONFIG_MAP });
  }
}

function floorFrom(text: string): Floor | undefined {
  const value = parseJson(text);
  return isFloor(value) ? value : undefined;
}
