import { Bug } from '../../core/errors.ts';
import type { SecretKeys } from '../../core/keys/key-file.ts';
import type { KeyPlace } from '../config/settings.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { Log } from '../log.ts';
import { CommandKeyStore } from './command-store.ts';
import { DirectoryKeyStore } from './directory-store.ts';
import { SecretKeyStore } from './secret-store.ts';

/**
 * Where a cluster's secret keys are kept: any number of keys, and the one identity that endorses them. What is there is
 * never replaced. All throw CofferError; that the place cannot be asked now has loop `retry`.
 */
export interface KeyStore {
  /** For people: a path, a Secret, a program. */
  readonly place: string;
  /** None is no error; a key that cannot be used is a problem. The caller wipes. */
  read(): Promise<SecretKeys>;
  /** Adds a key; one that is there already stays. */
  store(seed: Uint8Array): Promise<void>;
  /** The Ed25519 seed, 32 bytes, which the caller wipes; undefined: there is none. */
  readIdentity(): Promise<Buffer | undefined>;
  /** Of two that are stored at once the first stays. Throws IDENTITY_EXISTS. */
  storeIdentity(identitySeed: Uint8Array): Promise<void>;
  /** Wipes what it keeps in memory. */
  close(): void;
}

export interface KeyStoreOptions {
  place: KeyPlace;
  /** Whose identity it is. */
  cluster: string;
  /** Needed for a Secret only. */
  client?: KubeClient | undefined;
  /** Told of what a program for keys says. */
  log: Pick<Log, 'warn'>;
}

export function openKeyStore({ place, cluster, client, log }: KeyStoreOptions): KeyStore {
  switch (place.kind) {
    case 'directory':
      return new DirectoryKeyStore(place.directory, cluster);
    case 'kubernetesSecret':
      if (client === undefined) throw new Bug('keys in a Secret without a cluster');
      return new SecretKeyStore(client, place.name, cluster);
    case 'command':
      return new CommandKeyStore({
        ...place,
        cluster,
        said: (line) => log.warn(`the program for keys says: ${line}`),
      });
  }
}
