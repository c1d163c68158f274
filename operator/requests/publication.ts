import { mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { fromSystemError } from '../../core/files/system-error.ts';
import { type Fulfilment, fulfilmentParts, readFulfilment } from '../../core/requests/fulfilment.ts';
import { PART_FIELD, REQUEST_LABEL } from '../../core/requests/published.ts';
import type { JoinRequest } from '../../core/requests/request.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { type KubeObject, RESOURCES } from '../kubernetes/resource.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/**
 * Where the stanzas that were made wait to be collected: a file of the state directory for each request, a part a line, and in
 * a cluster the same in ConfigMaps. All of it is ciphertext.
 */
export class Publication {
  readonly #folder: string;
  readonly #client: KubeClient | undefined;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    this.#folder = join(stateDirectory, 'requests');
    this.#client = client;
  }

  /** What was published of a request by this or an earlier run. */
  async read(request: JoinRequest): Promise<Fulfilment | undefined> {
    const lines = (await readIfThere(this.#fileOf(request.id))).split('\n').filter((line) => line !== '');
    const parts = lines.length > 0 ? lines : await this.#partsOf(request.id);
    try {
      return parts.length === 0 ? undefined : readFulfilment(parts, request);
    } catch (error) {
      // It is made anew.
      if (error instanceof CofferError) return undefined;
      throw error;
    }
  }

  async write(fulfilment: Fulfilment): Promise<void> {
    const parts = fulfilmentParts(fulfilment);
    const text = `${parts.join('\n')}\n`;
    const file = this.#fileOf(fulfilment.request);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o755 });
      if ((await readIfThere(file)) !== text) await writeFileAtomically(file, text, { mode: 0o644 });
    } catch (error) {
      throw fromSystemError(error) ?? error;
    }
    if (this.#client !== undefined) await this.#apply(this.#client, fulfilment.request, parts);
  }

  /** Takes away what belongs to no request of these. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#folder).catch(noneIfMissing)) {
      if (!ids.has(name.replace(/\.jsonl$/, ''))) await unlink(join(this.#folder, name));
    }
    for (const { metadata } of await this.#maps()) {
      if (!ids.has(metadata.labels?.[REQUEST_LABEL] ?? '')) await this.#delete(metadata.name);
    }
  }

  async #apply(client: KubeClient, id: string, parts: readonly string[]): Promise<void> {
    const there = await this.#maps(id);
    for (const [index, part] of parts.entries()) {
      const name = `coffer-request-${id}-${index}`;
      if (there.some(({ metadata, data }) => metadata.name === name && data?.[PART_FIELD] === part)) continue;
      const metadata = { namespace: client.namespace, name, labels: { [REQUEST_LABEL]: id } };
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [PART_FIELD]: part } };
      await client.apply(RESOURCES.configMaps, metadata, body, { force: true });
    }
    const names = new Set(parts.map((_, index) => `coffer-request-${id}-${index}`));
    for (const { metadata } of there) if (!names.has(metadata.name)) await this.#delete(metadata.name);
  }

  async #partsOf(id: string): Promise<string[]> {
    return (await this.#maps(id)).flatMap(({ data }) => data?.[PART_FIELD] ?? []);
  }

  async #maps(id?: string): Promise<ConfigMap[]> {
    if (this.#client === undefined) return [];
    const labelSelector = id === undefined ? REQUEST_LABEL : `${REQUEST_LABEL}=${id}`;
    const { namespace } = this.#client;
    return (await this.#client.list<ConfigMap>(RESOURCES.configMaps, { namespace, labelSelector })).items;
  }

  async #delete(name: string): Promise<void> {
    await this.#client?.delete(RESOURCES.configMaps, { namespace: this.#client.namespace, name });
  }

  #fileOf(id: string): string {
    return join(this.#folder, `${id}.jsonl`);
  }
}

function noneIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw fromSystemError(error) ?? error;
}
