import { Bug } from '../../core/errors.ts';
import type { KeyPlace } from '../config/settings.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { Log } from '../process/log.ts';
import { CommandKeyStore } from './command-store.ts';
import { DirectoryKeyStore } from './directory-store.ts';
import type { KeyStore } from './key-store.ts';
import { SecretKeyStore } from './secret-store.ts';

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
