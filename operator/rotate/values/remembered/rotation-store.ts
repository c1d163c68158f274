import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { placeFile } from '../../../../core/files/place-file.ts';
import { listIfThere, readIfThere } from '../../../../core/files/read-if-there.ts';
import { throwRefusal } from '../../../../core/files/system-error.ts';
import type { KubeClient } from '../../../kubernetes/client.ts';
import { OwnMaps } from '../../../kubernetes/own-maps.ts';
import { firstName, partsOf, textOfParts } from './text-parts.ts';

const LABEL = 'coffer.dev/rotation';

/**
 * Texts by id that outlive the process: files `STATE/rotations/ID.json`, or in a cluster ConfigMaps, for whoever leads next. All is
 * public. All throw CofferError FILE_SYSTEM or KUBERNETES_*.
 */
export class RotationStore {
  readonly #folder: string;
  readonly #maps: OwnMaps | undefined;
  /** Id → names of the parts that may be there beside the first. */
  readonly #others = new Map<string, readonly string[]>();
  /** Names of parts that no text has; undefined: nobody has looked yet. */
  #left: Set<string> | undefined;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    this.#folder = join(stateDirectory, 'rotations');
    this.#maps = client && new OwnMaps(client);
  }

  /** Id → text; empty where it is damaged. */
  async all(): Promise<Map<string, string>> {
    return this.#maps === undefined ? await this.#files() : await this.#texts(this.#maps);
  }

  /** Durable when it resolves. */
  async write(id: string, text: string): Promise<void> {
    if (this.#maps !== undefined) await this.#apply(this.#maps, id, text);
    else await placeFile(this.#fileOf(id), text, { mode: 0o600 });
  }

  async remove(id: string): Promise<void> {
    if (this.#maps !== undefined) await this.#delete(this.#maps, id);
    else await unlink(this.#fileOf(id)).catch(throwRefusal);
  }

  /** For people: where the text of an id is. */
  placeOf(id: string): string {
    return this.#maps === undefined ? this.#fileOf(id) : this.#maps.placeOf(firstName(id));
  }

  async #files(): Promise<Map<string, string>> {
    const names = await listIfThere(this.#folder);
    const ids = names.flatMap((name) => /^([0-9a-z]+)\.json$/.exec(name)?.[1] ?? []);
    return new Map(await Promise.all(ids.map(async (id) => [id, await readIfThere(this.#fileOf(id))] as const)));
  }

  /** What there is and belongs to no text goes with the next write: a process that ended between two requests left it. */
  async #texts(maps: OwnMaps): Promise<Map<string, string>> {
    const there = await maps.list(LABEL);
    const byName = new Map(there.map(({ metadata, data }) => [metadata.name, data ?? {}]));
    this.#left = new Set(byName.keys());
    const texts = new Map<string, string>();
    for (const id of new Set(there.flatMap(({ metadata }) => metadata.labels?.[LABEL] ?? []))) {
      const first = byName.get(firstName(id));
      if (first === undefined) continue;
      const { text = '', names } = textOfParts(id, first, (name) => byName.get(name));
      texts.set(id, text);
      this.#others.set(id, names);
      for (const name of [firstName(id), ...names]) this.#left.delete(name);
    }
    return texts;
  }

  async #apply(maps: OwnMaps, id: string, text: string): Promise<void> {
    if (this.#left === undefined) await this.#texts(maps);
    const { first, others } = partsOf(id, text);
    const names = others.map(({ name }) => name);
    try {
      for (const { name, data } of [...others, first]) await maps.apply(name, data, { [LABEL]: id });
      this.#leave(id, names);
    } catch (error) {
      // The first part may be there all the same, and then all that it names: until the next that is written.
      this.#others.set(id, [...(this.#others.get(id) ?? []), ...names]);
      throw error;
    }
    await this.#sweep(maps);
  }

  /** The first part first: what has none is nothing. */
  async #delete(maps: OwnMaps, id: string): Promise<void> {
    if (this.#left === undefined) await this.#texts(maps);
    await maps.delete(firstName(id));
    this.#leave(id, []);
    await this.#sweep(maps);
  }

  /** The text has these parts beside its first now; those that it had are nobody's. */
  #leave(id: string, names: readonly string[]): void {
    for (const name of this.#others.get(id) ?? []) this.#left?.add(name);
    for (const name of names) this.#left?.delete(name);
    if (names.length === 0) this.#others.delete(id);
    else this.#others.set(id, names);
  }

  async #sweep(maps: OwnMaps): Promise<void> {
    for (const name of this.#left ?? []) {
      await maps.delete(name);
      this.#left?.delete(name);
    }
  }

  #fileOf(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}
