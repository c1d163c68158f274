import { mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../../../core/errors.ts';
import { writeFileAtomically } from '../../../../core/files/atomic.ts';
import { readIfThere } from '../../../../core/files/read-if-there.ts';
import { fromSystemError } from '../../../../core/files/system-error.ts';
import type { KubeClient } from '../../../kubernetes/client.ts';
import { type ConfigMap, RESOURCES } from '../../../kubernetes/resource.ts';
import { firstName, partsOf, textOfParts } from './text-parts.ts';

const LABEL = 'coffer.dev/rotation';

/**
 * Texts by id that outlive the process: files `STATE/rotations/ID.json`, or in a cluster ConfigMaps, for whoever leads next. All is
 * public. All throw CofferError FILE_SYSTEM or KUBERNETES_*.
 */
export class RotationStore {
  readonly #folder: string;
  readonly #client: KubeClient | undefined;
  /** Id → names of the parts that may be there beside the first. */
  readonly #others = new Map<string, readonly string[]>();
  /** Names of parts that no text has; undefined: nobody has looked yet. */
  #left: Set<string> | undefined;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    this.#folder = join(stateDirectory, 'rotations');
    this.#client = client;
  }

  /** Id → text; empty where it is damaged. */
  async all(): Promise<Map<string, string>> {
    return this.#client === undefined ? await this.#files() : await this.#maps(this.#client);
  }

  /** Durable when it resolves. */
  async write(id: string, text: string): Promise<void> {
    if (this.#client !== undefined) return await this.#apply(this.#client, id, text);
    await asCofferError(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFileAtomically(this.#fileOf(id), text, { mode: 0o600 });
    });
  }

  async remove(id: string): Promise<void> {
    if (this.#client !== undefined) return await this.#delete(this.#client, id);
    await asCofferError(() => unlink(this.#fileOf(id)));
  }

  /** For people: where the text of an id is. */
  placeOf(id: string): string {
    return this.#client === undefined ? this.#fileOf(id) : `ConfigMap ${this.#client.namespace}/${firstName(id)}`;
  }

  async #files(): Promise<Map<string, string>> {
    const names = await asCofferError(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      return readdir(this.#folder);
    });
    const ids = names.flatMap((name) => /^([0-9a-z]+)\.json$/.exec(name)?.[1] ?? []);
    return new Map(await Promise.all(ids.map(async (id) => [id, await readIfThere(this.#fileOf(id))] as const)));
  }

  /** What there is and belongs to no text goes with the next write: a process that ended between two requests left it. */
  async #maps(client: KubeClient): Promise<Map<string, string>> {
    const { namespace } = client;
    const { items } = await client.list<ConfigMap>(RESOURCES.configMaps, { namespace, labelSelector: LABEL });
    const byName = new Map(items.map(({ metadata, data }) => [metadata.name, data ?? {}]));
    this.#left = new Set(byName.keys());
    const texts = new Map<string, string>();
    for (const id of new Set(items.flatMap(({ metadata }) => metadata.labels?.[LABEL] ?? []))) {
      const first = byName.get(firstName(id));
      if (first === undefined) continue;
      const { text = '', names } = textOfParts(id, first, (name) => byName.get(name));
      texts.set(id, text);
      this.#others.set(id, names);
      for (const name of [firstName(id), ...names]) this.#left.delete(name);
    }
    return texts;
  }

  async #apply(client: KubeClient, id: string, text: string): Promise<void> {
    if (this.#left === undefined) await this.#maps(client);
    const { first, others } = partsOf(id, text);
    const names = others.map(({ name }) => name);
    try {
      for (const { name, data } of [...others, first]) {
        const metadata = { namespace: client.namespace, name, labels: { [LABEL]: id } };
        const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
        await client.apply(RESOURCES.configMaps, metadata, body, { force: true });
      }
      this.#leave(id, names);
    } catch (error) {
      // The first part may be there all the same, and then all that it names: until the next that is written.
      this.#others.set(id, [...(this.#others.get(id) ?? []), ...names]);
      throw error;
    }
    await this.#sweep(client);
  }

  /** The first part first: what has none is nothing. */
  async #delete(client: KubeClient, id: string): Promise<void> {
    if (this.#left === undefined) await this.#maps(client);
    await client.delete(RESOURCES.configMaps, { namespace: client.namespace, name: firstName(id) });
    this.#leave(id, []);
    await this.#sweep(client);
  }

  /** The text has these parts beside its first now; those that it had are nobody's. */
  #leave(id: string, names: readonly string[]): void {
    for (const name of this.#others.get(id) ?? []) this.#left?.add(name);
    for (const name of names) this.#left?.delete(name);
    if (names.length === 0) this.#others.delete(id);
    else this.#others.set(id, names);
  }

  async #sweep(client: KubeClient): Promise<void> {
    for (const name of this.#left ?? []) {
      await client.delete(RESOURCES.configMaps, { namespace: client.namespace, name });
      this.#left?.delete(name);
    }
  }

  #fileOf(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}

async function asCofferError<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CofferError) throw error;
    throw fromSystemError(error) ?? error;
  }
}
