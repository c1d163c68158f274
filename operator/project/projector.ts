import type { CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';

/**
 * A workload and the entries that the readers of a manifest allow it. Where a projector makes objects that workloads then
 * refer to (Kubernetes Secrets), each such object stands in the workload's place.
 */
export interface Audience {
  /** NAMESPACE/NAME. */
  workload: string;
  entries: ReadonlySet<string>;
}

/**
 * What a projector may know of a manifest beside its values. The pair (namespace, name) is that of the manifest's metadata.
 * Of the sealed text a projector makes nothing but a fingerprint, by which it knows that what it projected is of this manifest.
 */
export type ProjectedSecret = Pick<
  Manifest,
  | 'namespace'
  | 'name'
  | 'type'
  | 'deletionPolicy'
  | 'projection'
  | 'readers'
  | 'entries'
  | 'stanzas'
  | 'template'
  | 'binding'
  | 'namespaces'
>;

/** Projected under a home, for a place in a source: what a projector writes beside a secret so that it is known again. */
export interface Provenance {
  /** Id of the source. */
  source: string;
  path: string;
  /** Of the document in its file. */
  index: number;
  /** The commit that brought it, where one did. That alone is no reason to write anew. */
  commit?: string;
  /** The EncryptedSecret object that somebody else carries the manifest with: the owner of what is projected from it. */
  object?: { name: string; namespace: string; uid: string };
}

export interface Wanted {
  secret: ProjectedSecret;
  audience: readonly Audience[];
  provenance: Provenance;
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
  /** Of which manifest it was, where that was written down beside it. */
  provenance?: Provenance;
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
   * Whether what is there is already what this manifest gives: known without opening it, from what was projected before and
   * has not been touched since. Absent: never known.
   */
  isCurrent?(wanted: Wanted): boolean;

  /**
   * To be called with all that a batch is about to apply, before the first `apply` of it: what has to be there before the
   * secrets are (who may read them). Throws when it cannot be; then nothing of the batch is applied.
   */
  prepare?(batch: readonly Wanted[]): Promise<void>;

  /**
   * Makes what is there equal to what is wanted, and writes only where it differs: each workload of the audience gets its
   * entries, all at once, and workloads that have the secret and are no longer in the audience lose it. `values` holds at
   * least the audience's entries; it stays the caller's to wipe. One workload's failure is its own result, not a throw.
   */
  apply(
    secret: ProjectedSecret,
    audience: readonly Audience[],
    values: ReadonlyMap<string, Uint8Array>,
    provenance: Provenance,
  ): Promise<AppliedWorkload[]>;

  /** Its manifest is gone, and it stays (deletionPolicy Retain): from now on it is nobody's. Absent: nothing to do. */
  retain?(namespace: string, name: string): Promise<AppliedWorkload[]>;

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
