import { dirname, resolve } from 'node:path';
import type { Opener } from '../../core/opening/opener.ts';
import { type OpenerFlags, type OpenKeys, openKeys } from './open-keys.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

/**
 * The repositories of the files that a command was given: each file is sealed and opened by the configuration, keyring
 * and pins of its own, which are read once.
 */
export class Workspaces {
  readonly #flags: OpenerFlags;
  readonly #ofFolders = new Map<string, Promise<Workspace>>();
  readonly #keys = new Map<string, OpenKeys>();

  /** @param flags where the secret keys are; needed by `opener` only. */
  constructor(flags: OpenerFlags = {}) {
    this.#flags = flags;
  }

  /** The repository that holds this file. Throws REPOSITORY_NOT_FOUND. */
  of(file: string): Promise<Workspace> {
    const folder = dirname(resolve(file));
    const known = this.#ofFolders.get(folder) ?? openWorkspace(folder);
    this.#ofFolders.set(folder, known);
    return known;
  }

  /** The user's secret keys as this repository's keyring knows them; read when first asked for, wiped by `close`. */
  async opener({ root, keyring }: Workspace): Promise<Opener> {
    const keys = this.#keys.get(root) ?? (await openKeys(keyring, this.#flags));
    this.#keys.set(root, keys);
    return keys.opener;
  }

  close(): void {
    for (const { close } of this.#keys.values()) close();
    this.#keys.clear();
  }
}
