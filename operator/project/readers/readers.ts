import { Bug, type CofferError } from '../../../core/errors.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import type { EventRecorder } from '../../kubernetes/events.ts';
import type { SecretName, Wanted } from '../projector.ts';

/** A pod that has a projected Secret and would be refused today. */
export interface Offender {
  namespace: string;
  pod: string;
  serviceAccount: string;
  secrets: readonly string[];
}

export interface ReadersOptions {
  client: KubeClient;
  /** Names and globs. */
  namespaces: readonly string[];
  events: EventRecorder;
}

/**
 * Who may read the Secrets of a namespace, as the admission policy looks it up: one SecretReaders object a namespace, named
 * `coffer`. It says so before a Secret is there, and until after it went.
 */
export interface Readers {
  /** Every object that is there was seen once. To be awaited before the first `isCurrent`. */
  readonly synced: Promise<void>;

  /** Whether the object of each namespace of the audience says of this secret what its manifest says. */
  isCurrent(wanted: Wanted): boolean;

  /**
   * Says who may read these secrets: at most one write for each namespace of their audiences, none where nothing differs.
   * Returns the namespaces whose object could not be written: in those no Secret of the batch may be made or changed.
   */
  prepare(batch: readonly Wanted[]): Promise<ReadonlyMap<string, CofferError>>;

  /** To be called when these Secrets are gone, or are nobody's any more. Throws nothing: what could not be written is tried again. */
  forget(secrets: readonly SecretName[]): Promise<void>;

  /** The same for all but these: once after the start, for what a killed operator left. */
  keepOnly(owned: Iterable<SecretName>): Promise<void>;

  /** Pods that were admitted before the policy knew. */
  offenders(): readonly Offender[];

  /** Why readers are not enforced (the policy is missing on the cluster) or not looked after. */
  readonly trouble: CofferError | undefined;

  /** Watches, until the signal: puts back what others changed, and looks for offenders. */
  run(signal: AbortSignal): Promise<void>;
}

export function openReaders(_options: ReadersOptions): Readers {
  throw new Bug('not written yet');
}
