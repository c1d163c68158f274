import type { SecretKeys } from '../../../core/keys/key-directory.ts';
import type { Keyring } from '../../../core/keys/keyring.ts';
import { type Opener, openerFor } from '../../../core/opening/opener.ts';
import type { Watched } from '../state/watched.ts';

/** Who opens the manifests of each source, with secret keys that are read when the first is asked for and wiped at the end. */
export class Openers {
  readonly #cluster: string;
  readonly #secretKeys: () => Promise<SecretKeys>;
  readonly #openers = new Map<Keyring | undefined, Opener>();
  #keys: Promise<SecretKeys> | undefined;

  constructor(cluster: string, secretKeys: () => Promise<SecretKeys>) {
    this.#cluster = cluster;
    this.#secretKeys = secretKeys;
  }

  async of({ keyring }: Watched): Promise<Opener> {
    this.#keys ??= this.#secretKeys();
    const keys = await this.#keys;
    const known = this.#openers.get(keyring);
    if (known !== undefined) return known;
    const opener = openerFor(keyring ?? { recipients: new Map(), problems: [] }, keys, { as: this.#cluster });
    this.#openers.set(keyring, opener);
    return opener;
  }

  async wipe(): Promise<void> {
    for (const opener of this.#openers.values()) opener.wipe();
    // Where the keys could not be read, whoever asked for an opener was told.
    const [keys] = await Promise.allSettled([this.#keys]);
    if (keys.status === 'fulfilled') keys.value?.wipe();
  }
}
