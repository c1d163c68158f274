import { CofferError } from '../../core/errors.ts';
import { isSystemError } from '../../core/files/system-error.ts';
import {
  readIdentity,
  readKeyDirectory,
  removeSecretKey,
  type SecretKeys,
  storeIdentity,
  storeSecretKey,
} from '../../core/keys/key-directory.ts';
import type { KeyStore } from './key-store.ts';

/** Files in a directory, as the CLI makes them. */
export class DirectoryKeyStore implements KeyStore {
  readonly #directory: string;
  readonly #cluster: string;

  constructor(directory: string, cluster: string) {
    this.#directory = directory;
    this.#cluster = cluster;
  }

  get place(): string {
    return this.#directory;
  }

  read(): Promise<SecretKeys> {
    return readKeyDirectory(this.#directory);
  }

  async store(seed: Uint8Array): Promise<void> {
    await storeSecretKey(this.#directory, seed);
  }

  async remove(kid: string): Promise<void> {
    await removeSecretKey(this.#directory, kid);
  }

  async readIdentity(): Promise<Buffer | undefined> {
    try {
      return await readIdentity(this.#directory, this.#cluster);
    } catch (error) {
      if (error instanceof CofferError && isSystemError(error.cause, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async storeIdentity(identitySeed: Uint8Array): Promise<void> {
    await storeIdentity(this.#directory, this.#cluster, identitySeed);
  }

  close(): void {
    // Nothing is kept in memory.
  }
}
