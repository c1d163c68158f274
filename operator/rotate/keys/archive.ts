import { join } from 'node:path';
import { placeFile } from '../../../core/files/place-file.ts';
import { readIfThere } from '../../../core/files/read-if-there.ts';
import type { SealingKey } from '../../../core/format/sealed/stanza.ts';
import { sealRetiredSeed } from '../../../core/keys/retired-key.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import { OwnMaps } from '../../kubernetes/own-maps.ts';

const FOLDER = 'retired-keys';
const CONFIG_MAP = 'coffer-retired-keys';

/**
 * What is kept of keys that were deleted: each one's seed, sealed to the recovery recipients (docs/format.md, "Retired keys"). A file
 * `retired-keys/KID.json` of the state directory, and in a cluster a field of the ConfigMap `coffer-retired-keys`. Ciphertext.
 */
export class Archive {
  readonly #folder: string;
  readonly #maps: OwnMaps | undefined;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    this.#folder = join(stateDirectory, FOLDER);
    this.#maps = client && new OwnMaps(client);
  }

  /** Throws CofferError FILE_SYSTEM, KUBERNETES_*. */
  async has(kid: string): Promise<boolean> {
    const name = fileOf(kid);
    if (this.#maps !== undefined) return (await this.#maps.get(CONFIG_MAP))?.data?.[name] !== undefined;
    return (await readIfThere(join(this.#folder, name))) !== '';
  }

  /** Kept in every place when it resolves. Throws CofferError FILE_SYSTEM, KUBERNETES_*, HPKE_*. */
  async keep(seed: Uint8Array, retired: { recipient: string; kid: string }, to: readonly SealingKey[]): Promise<void> {
    const sealed = Object.fromEntries(to.map((key) => [key.recipient, sealRetiredSeed(seed, retired, key)]));
    const text = `${JSON.stringify({ recipient: retired.recipient, key: retired.kid, seed: sealed })}\n`;
    const name = fileOf(retired.kid);
    await placeFile(join(this.#folder, name), text, { mode: 0o644 });
    await this.#maps?.apply(CONFIG_MAP, { ...(await this.#maps.get(CONFIG_MAP))?.data, [name]: text });
  }
}

function fileOf(kid: string): string {
  return `${kid}.json`;
}
