import { Bug } from '../../../core/errors.ts';
import type { SecretsSettings } from '../../config/settings.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import type { EventRecorder } from '../../kubernetes/events.ts';
import type { Namespaces } from '../../kubernetes/namespaces.ts';
import type { Projector } from '../projector.ts';

/** What makes known who may read a Secret before it is there: the policy's parameters. */
export interface SecretReaders {
  prepare(batch: readonly import('../projector.ts').Wanted[]): Promise<void>;
  forget(namespace: string, name: string): Promise<void>;
}

/** What has workloads rolled when an entry that they read changes. */
export interface SecretRestarts {
  /** `entries`: name → keyed digest of the value. */
  changed(namespace: string, secretName: string, entries: ReadonlyMap<string, string>): void;
  notify(signal?: AbortSignal): Promise<import('../../../core/errors.ts').CofferError[]>;
}

export interface SecretsProjectorParts {
  client: KubeClient;
  namespaces: Namespaces;
  /** Absent: not configured. */
  readers?: SecretReaders;
  restarts?: SecretRestarts;
  events?: EventRecorder;
  /** Milliseconds since the epoch; absent: the clock's. */
  now?: () => number;
  /** Ends the watches. */
  signal: AbortSignal;
}

/**
 * Kubernetes Secrets. Resolves when all that is there has been seen. Throws CofferError where the digest key can be neither read
 * nor made.
 */
export async function openSecretsProjector(
  _settings: SecretsSettings,
  _parts: SecretsProjectorParts,
): Promise<Projector> {
  throw new Bug('not written yet');
}
