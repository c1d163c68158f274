import { mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { fromSystemError, isSystemError } from '../../core/files/system-error.ts';
import { PART_FIELD } from '../../core/requests/published.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { type ConfigMap, RESOURCES } from '../kubernetes/resource.ts';

/** Where parts lie: a folder of the state directory, and ConfigMaps with a label whose value is the id of what they are parts of. */
export interface OutboxPlace {
  stateDirectory: string;
  folder: string;
  label: string;
  /** Of the ConfigMaps' names: `PREFIX-ID-PART`. */
  prefix: string;
  client: KubeClient | undefined;
}

/**
 * What an operator publishes to be collected: a file `ID.jsonl` for each, a part a line, and in a cluster the same in ConfigMaps, a
 * part each, since an object holds 1 MiB at most. There the ConfigMaps count, since another replica may have led meanwhile, and the file
 * is a copy. All of it is public. Ids are safe as file names and as labels.
 */
export class Outbox {
  readonly #folder: string;
  readonly #place: OutboxPlace;

  constructor(place: OutboxPlace) {
    this.#folder = join(place.stateDirectory, place.folder);
    this.#place = place;
  }

  fileOf(id: string): string {
    return join(this.#folder, `${id}.jsonl`);
  }

  /** In no order; empty: nothing is published. Throws CofferError FILE_SYSTEM, KUBERNETES_*. */
  async read(id: string): Promise<string[]> {
    if (this.#place.client !== undefined) return (await this.#maps(id)).flatMap(({ data }) => data?.[PART_FIELD] ?? []);
    return this.readOwn(id);
  }

  /**
   * The copy alone: what this replica published, wherever it runs. For parts that nobody signed: who may write ConfigMaps must not be
   * believed that the operator made them. Empty also where another replica did. Throws CofferError FILE_SYSTEM.
   */
  async readOwn(id: string): Promise<string[]> {
    return (await readIfThere(this.fileOf(id))).split('\n').filter((line) => line !== '');
  }

  /** Writes nothing where these parts are published already. Throws CofferError FILE_SYSTEM, KUBERNETES_*. */
  async write(id: string, parts: readonly string[]): Promise<void> {
    const text = `${parts.join('\n')}\n`;
    const file = this.fileOf(id);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o755 });
      if ((await readIfThere(file)) !== text) await writeFileAtomically(file, text, { mode: 0o644 });
    } catch (error) {
      throw fromSystemError(error) ?? error;
    }
    const { client } = this.#place;
    if (client !== undefined) await this.#apply(client, id, parts);
  }

  async remove(id: string): Promise<void> {
    try {
      await unlink(this.fileOf(id));
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw fromSystemError(error) ?? error;
    }
    for (const { metadata } of await this.#maps(id)) await this.#delete(metadata.name);
  }

  /** Takes away what has none of these ids. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    for (const name of await this.#files()) {
      if (!ids.has(name.replace(/\.jsonl$/, ''))) await unlink(join(this.#folder, name));
    }
    for (const { metadata } of await this.#maps()) {
      if (!ids.has(metadata.labels?.[this.#place.label] ?? '')) await this.#delete(metadata.name);
    }
  }

  async #apply(client: KubeClient, id: string, parts: readonly string[]): Promise<void> {
    const { label, prefix } = this.#place;
    const there = await this.#maps(id);
    const nameOf = (index: number) => `${prefix}-${id}-${index}`;
    for (const [index, part] of parts.entries()) {
      const name = nameOf(index);
      if (there.some(({ metadata, data }) => metadata.name === name && data?.[PART_FIELD] === part)) continue;
      const metadata = { namespace: client.namespace, name, labels: { [label]: id } };
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [PART_FIELD]: part } };
      await client.apply(RESOURCES.configMaps, metadata, body, { force: true });
    }
    const names = new Set(parts.map((_, index) => nameOf(index)));
    for (const { metadata } of there) if (!names.has(metadata.name)) await this.#delete(metadata.name);
  }

  async #maps(id?: string): Promise<ConfigMap[]> {
    const { client, label } = this.#place;
    if (client === undefined) return [];
    const labelSelector = id === undefined ? label : `${label}=${id}`;
    const { namespace } = client;
    return (await client.list<ConfigMap>(RESOURCES.configMaps, { namespace, labelSelector })).items;
  }

  async #delete(name: string): Promise<void> {
    const { client } = this.#place;
    await client?.delete(RESOURCES.configMaps, { namespace: client.namespace, name });
  }

  async #files(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return [];
      throw fromSystemError(error) ?? error;
    }
  }
}
