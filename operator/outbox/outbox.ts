import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { placeFile } from '../../core/files/place-file.ts';
import { listIfThere, readIfThere } from '../../core/files/read-if-there.ts';
import { throwRefusal } from '../../core/files/system-error.ts';
import { PART_FIELD } from '../../core/requests/published.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { OwnMaps } from '../kubernetes/own-maps.ts';
import type { ConfigMap } from '../kubernetes/resource.ts';

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
  readonly #maps: OwnMaps | undefined;

  constructor(place: OutboxPlace) {
    this.#folder = join(place.stateDirectory, place.folder);
    this.#place = place;
    this.#maps = place.client && new OwnMaps(place.client);
  }

  fileOf(id: string): string {
    return join(this.#folder, `${id}.jsonl`);
  }

  /** In no order; empty: nothing is published. Throws CofferError FILE_SYSTEM, KUBERNETES_*. */
  async read(id: string): Promise<string[]> {
    if (this.#maps === undefined) return this.readOwn(id);
    return (await this.#published(id)).flatMap(({ data }) => data?.[PART_FIELD] ?? []);
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
    if ((await readIfThere(file)) !== text) await placeFile(file, text, { mode: 0o644 });
    if (this.#maps !== undefined) await this.#publish(this.#maps, id, parts);
  }

  async remove(id: string): Promise<void> {
    await rm(this.fileOf(id), { force: true }).catch(throwRefusal);
    for (const { metadata } of await this.#published(id)) await this.#maps?.delete(metadata.name);
  }

  /** Takes away what has none of these ids. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    for (const name of await listIfThere(this.#folder)) {
      if (!ids.has(name.replace(/\.jsonl$/, ''))) await rm(join(this.#folder, name)).catch(throwRefusal);
    }
    for (const { metadata } of await this.#published()) {
      if (!ids.has(metadata.labels?.[this.#place.label] ?? '')) await this.#maps?.delete(metadata.name);
    }
  }

  async #publish(maps: OwnMaps, id: string, parts: readonly string[]): Promise<void> {
    const { label, prefix } = this.#place;
    const there = await this.#published(id);
    const nameOf = (index: number) => `${prefix}-${id}-${index}`;
    for (const [index, part] of parts.entries()) {
      const name = nameOf(index);
      if (there.some(({ metadata, data }) => metadata.name === name && data?.[PART_FIELD] === part)) continue;
      await maps.apply(name, { [PART_FIELD]: part }, { [label]: id });
    }
    const names = new Set(parts.map((_, index) => nameOf(index)));
    for (const { metadata } of there) if (!names.has(metadata.name)) await maps.delete(metadata.name);
  }

  async #published(id?: string): Promise<ConfigMap[]> {
    return (await this.#maps?.list(this.#place.label, id)) ?? [];
  }
}
