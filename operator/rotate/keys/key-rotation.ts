import type { AuditLog } from '../../../core/audit/log.ts';
import { Bug, type CofferError } from '../../../core/errors.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import type { Log } from '../../process/log.ts';
import type { Pusher } from '../../push/pusher.ts';
import type { Source } from '../../source/source.ts';

export interface KeyRotationOptions {
  cluster: string;
  stateDirectory: string;
  pinsFile: string;
  store: KeyStore;
  sources: readonly Source[];
  /** By id of the source: of those that the operator may push to. */
  pushers: ReadonlyMap<string, Pusher>;
  audit: Pick<AuditLog, 'append'>;
  client?: KubeClient | undefined;
  /** How long a key that is retired stays at least, in milliseconds. */
  grace: number;
  /** Ids of own keys that something beside the accepted states still needs → what that is, for people. */
  needed: () => Promise<ReadonlyMap<string, readonly string[]>>;
  log: Pick<Log, 'info'>;
  now?: () => Date;
}

/** Makes and follows up a new key of this cluster when that is asked for or due. */
export class KeyRotation {
  troubles: readonly CofferError[] = [];

  constructor(_options: KeyRotationOptions) {
    throw new Bug('not written yet');
  }

  async look(): Promise<void> {
    throw new Bug('not written yet');
  }
}
