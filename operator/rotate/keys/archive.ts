import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../../core/files/atomic.ts';
import { readIfThere } from '../../../core/files/read-if-there.ts';
import { fromSystemError } from '../../../core/files/system-error.ts';
import type { SealingKey } from '../../../core/format/sealed/stanza.ts';
import { sealRetiredSeed } from '../../../core/keys/retired-key.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import { type ConfigMap, RESOURCES } from '../../kubernetes/resource.ts';

const FOLDER = 'retired-keys';
const CONFIG_MAP = 'coffer-retired-keys';

/**
 * What is kept of keys that were deleted: each one's seed, sealed to the recovery recipients (docs/format.md, "Retired keys"). A file
 * `retired-keys/KID.json` of the state directory, and in a cluster a field of the ConfigMap `coffer-retired-keys`. Ciphertext.
 */
export class Archive {
  readonly #folder: string;
  readonly #client: KubeClient | undefined;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    this.#folder = join(stateDirectory, FOLDER);
    this.#client = client;
  }

  /** Throws CofferError FILE_SYSTEM, KUBERNETES_*. */
  async has(kid: string): Promise<boolean> {
    const name = fileOf(kid);
    if (this.#client !== undefined) return (await this.#map(this.#client))?.data?.[name] !== undefined;
    return (await readIfThere(join(this.#folder, name))) !== '';
  }

  /** Kept in every place when it resolves. Throws CofferError FILE_SYSTEM, KUBERNETES_*, HPKE_*. */
  async keep(seed: Uint8Array, retired: { recipient: string; kid: string }, to: readonly SealingKey[]): Promise<void> {
    const sealed = Object.fromEntries(to.map((key) => [key.recipient, sealRetiredSeed(seed, retired, key)]));
    const text = `${JSON.stringify({ recipient: retired.recipient, key: retired.kid, seed: sealed })}\n`;
    const name = fileOf(retired.kid);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o755 });
      await writeFileAtomically(join(this.#folder, name), text, { mode: 0o644 });
    } catch (error) {
      throw fromSystemError(error) ?? error;
    }
    if (this.#client !== undefined) await this.#apply(this.#client, name, text);
  }

  async #apply(client: KubeClient, name: string, text: string): Promise<void> {
    const metadata = { namespace: client.namespace, name: CONFIG_MAP };
    const data = { ...(await this.#map(client))?.data, [name]: text };
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    await client.apply(RESOURCES.configMaps, metadata, body, { force: true });
  }

  #map(client: KubeClient): Promise<ConfigMap | undefined> {
    return client.get<ConfigMap>(RESOURCES.configMaps, { namespace: client.namespace, name: CONFIG_MAP });
  }
}

function fileOf(kid: string): string {
  return `${kid}.json`;
}
