import { Bug, type CofferError } from '../../core/errors.ts';
import type { OperatorSettings } from '../config/settings.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { Log } from '../log.ts';
import type { Source } from '../source/source.ts';

export interface EnrolmentOptions {
  settings: Pick<OperatorSettings, 'cluster' | 'stateDirectory'>;
  store: KeyStore;
  /** Those whose keyrings say whether this cluster is known. */
  sources: readonly Source[];
  /** Absent: outside of Kubernetes. */
  client?: KubeClient;
  log: Log;
  now?: () => Date;
}

/**
 * Sees to it that this cluster has an identity and a key, and that its recipient, which is public, can be fetched. A key is
 * made where the keyring of no source lists this cluster, and no source is unknown yet.
 */
export class Enrolment {
  /** What a person must do: KEYS_MISSING, KEYS_… */
  trouble: CofferError | undefined;

  /**
   * Looks again: at the start and after every poll. Cheap when nothing changed. What goes wrong becomes `trouble`, and is
   * tried again by the next call.
   */
  async look(_signal?: AbortSignal): Promise<void> {
    throw new Bug('not written yet');
  }
}

export function openEnrolment(_options: EnrolmentOptions): Enrolment {
  return new Enrolment();
}
