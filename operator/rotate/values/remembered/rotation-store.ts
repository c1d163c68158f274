import { mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../../../core/errors.ts';
import { writeFileAtomically } from '../../../../core/files/atomic.ts';
import { readIfThere } from '../../../../core/files/read-if-there.ts';
import { fromSystemError } from '../../../../core/files/system-error.ts';
import type { KubeClient } from '../../../kubernetes/client.ts';
import { type KubeObject, RESOURCES } from '../../../kubernetes/resource.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const LABEL = 'coffer.dev/rotation';
/** An object of Kubernetes holds 1 MiB. */
const PART = 700_000;

/**
 * Texts by id that outlive the process: files `STATE/rotations/ID.json`, or in a cluster ConfigMaps, for whoever leads next. All is
 * public. All throw CofferError FILE_SYSTEM or KUBERNETES_*.
 */
export class RotationStore {
  readonly #folder: string;
  readonly #client: KubeClient | undefined;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    this.#folder = join(stateDirectory, 'rotations');
    this.#client = client;
  }

  /** Id → text. */
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
    if (this.#client !== undefined) return await this.#delete(this.#client, id, 0);
    await asCofferError(() => unlink(this.#fileOf(id)));
  }

  /** For people: where the text of an id is. */
  placeOf(id: string): string {
    return this.#client === undefined ? this.#fileOf(id) : `ConfigMap ${this.#client.namespace}/${nameOf(id, 0)}`;
  }

  async #files(): Promise<Map<string, string>> {
    const names = await asCofferError(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      return readdir(this.#folder);
    });
    const ids = names.flatMap((name) => /^([0-9a-z]+)\.json$/.exec(name)?.[1] ?? []);
    return new Map(await Promise.all(ids.map(async (id) => [id, await readIfThere(this.#fileOf(id))] as const)));
  }

  async #maps(client: KubeClient): Promise<Map<string, string>> {
    const { namespace } = client;
    const { items } = await client.list<ConfigMap>(RESOURCES.configMaps, { namespace, labelSelector: LABEL });
    const ids = new Set(items.flatMap(({ metadata }) => metadata.labels?.[LABEL] ?? []));
    const partOf = (id: string, index: number) =>
      items.find(({ metadata }) => metadata.name === nameOf(id, index))?.data;
    return new Map(
      [...ids].flatMap((id): [string, string][] => {
        const count = Number(partOf(id, 0)?.parts);
        if (!Number.isInteger(count) || count < 1 || count > items.length) return [];
        return [[id, Array.from({ length: count }, (_, index) => partOf(id, index)?.part ?? '').join('')]];
      }),
    );
  }

  /** The first part last: until it is there, what was before it counts, or nothing. */
  async #apply(client: KubeClient, id: string, text: string): Promise<void> {
    const parts = Array.from({ length: Math.ceil(text.length / PART) }, (_, at) =>
      text.slice(at * PART, (at + 1) * PART),
    );
    for (const [index, part] of [...parts.entries()].toReversed()) {
      const metadata = { namespace: client.namespace, name: nameOf(id, index), labels: { [LABEL]: id } };
      const data = { part, parts: String(parts.length) };
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
      await client.apply(RESOURCES.configMaps, metadata, body, { force: true });
    }
    await this.#delete(client, id, parts.length);
  }

  async #delete(client: KubeClient, id: string, from: number): Promise<void> {
    const { namespace } = client;
    const labelSelector = `${LABEL}=${id}`;
    const { items } = await client.list<ConfigMap>(RESOURCES.configMaps, { namespace, labelSelector });
    const kept = new Set(Array.from({ length: from }, (_, index) => nameOf(id, index)));
    for (const { metadata } of items) {
      if (!kept.has(metadata.name)) await client.delete(RESOURCES.configMaps, { namespace, name: metadata.name });
    }
  }

  #fileOf(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}

function nameOf(id: string, index: number): string {
  return `coffer-rotation-${id}-${index}`;
}

async function asCofferError<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CofferError) throw error;
    throw fromSystemError(error) ?? error;
  }
}
