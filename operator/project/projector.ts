import type { CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';

/** A workload and the entries that the readers of a manifest allow it. */
export interface Audience {
  /** NAMESPACE/NAME. */
  workload: string;
  entries: ReadonlySet<string>;
}

/** What a projector must know of a secret beside its values. The pair is that of the manifest's metadata. */
export interface ProjectedSecret {
  namespace: string;
  name: string;
  type: string;
}

export interface AppliedWorkload {
  workload: string;
  /** `refused`: nothing was changed, and `error` says why. */
  outcome: 'unchanged' | 'written' | 'removed' | 'refused';
  error?: CofferError;
}

export interface SecretName {
  namespace: string;
  name: string;
}

/**
 * A place where plaintext goes. A secret is known by the (namespace, name) of its manifest's metadata, also where a
 * manifest of scope cluster reaches workloads of other namespaces.
 */
export interface Projector {
  /** For people: names this projector in logs and status. */
  readonly id: string;

  /** The workloads here that would get entries of this manifest; those that would get none are left out. */
  audience(manifest: Manifest): Audience[];

  /**
   * Makes what is there equal to what is wanted, and writes only where it differs: each workload of the audience gets its
   * entries, all at once, and workloads that have the secret and are no longer in the audience lose it. `values` holds at
   * least the audience's entries; it stays the caller's to wipe. One workload's failure is its own result, not a throw.
   */
  apply(
    secret: ProjectedSecret,
    audience: readonly Audience[],
    values: ReadonlyMap<string, Uint8Array>,
  ): Promise<AppliedWorkload[]>;

  /** Takes a secret from every workload that has it, if this projector made it; what others made stays. */
  prune(namespace: string, name: string): Promise<AppliedWorkload[]>;

  /**
   * Looks at what others changed and calls back, one at a time, for every secret that must be opened and applied again.
   * `disturbed` looks only where the system reported a change since the last look, `all` elsewhere as well: everywhere, or
   * where there is much, in turns.
   */
  heal(again: (namespace: string, name: string) => Promise<void>, where: 'disturbed' | 'all'): Promise<void>;

  /**
   * Calls back (at once, and once until the next `heal`) when the system reports that something was touched, be it by this
   * projector. The listener takes the place of the one before.
   */
  onDisturbed(listener: () => void): void;

  /** The secrets that it made, as found at start and changed since. */
  owned(): Iterable<SecretName>;

  /**
   * To be called when a batch of `apply` and `prune` is done: tells each workload whose entries changed, once. Resolves when
   * all were told; what failed is tried again at the next call, and its errors are returned. The signal ends it, running
   * commands too; whoever was not told stays owed.
   */
  notify(signal?: AbortSignal): Promise<CofferError[]>;

  /** What is projected stays. Closing again does nothing. */
  close(): Promise<void>;
}
