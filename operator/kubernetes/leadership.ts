import { Bug } from '../../core/errors.ts';
import type { KubeClient } from './client.ts';

export interface LeadershipOptions {
  lease: string;
  /** Milliseconds that others wait for a silent leader. */
  duration: number;
  /** Unique to this process. */
  identity: string;
}

/** Which of several operators writes, by a Lease. */
export class Leadership {
  constructor(_client: KubeClient, _options: LeadershipOptions) {
    throw new Bug('not written yet');
  }

  /** Resolves when this process leads; rejects at the signal. */
  async acquire(_signal: AbortSignal): Promise<void> {}

  /** Throws KubernetesError `KUBERNETES_NOT_LEADER` unless the lease is certainly held now: the fence of every write. */
  assertHeld(): void {}
}
