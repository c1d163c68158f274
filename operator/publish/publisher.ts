import { Bug, type CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { EventRecorder } from '../kubernetes/events.ts';
import type { Provenance } from '../project/projector.ts';
import type { Key } from '../reconcile/state/claim.ts';
import type { SecretStatus } from '../reconcile/status/status.ts';
import type { EncryptedSecrets } from './encrypted-secrets.ts';

export interface Carried {
  home: Key;
  manifest: Manifest;
  /** Absent: no mirror is made; somebody else carries the object. */
  isGit: boolean;
}

/** How people see in the cluster what becomes of each secret: mirrors of what git carries, status, Events. */
export interface Publisher {
  /**
   * Before anything is projected: mirrors of what git carries are made or put right. Cheap where they are right: no request.
   * Never touches an object that somebody else applies. One failure is that secret's; where the kind is not served there are
   * no mirrors, and no failures (`trouble` says so).
   */
  carry(batch: readonly Carried[], signal?: AbortSignal): Promise<ReadonlyMap<Key, CofferError>>;
  /** The EncryptedSecret object of that name, be it a mirror or somebody else's. */
  objectOf(home: Key): Provenance['object'] | undefined;
  /** Their projections were removed: their mirrors go, objects of others stay. Errors are those of each. */
  release(homes: readonly Key[], signal?: AbortSignal): Promise<ReadonlyMap<Key, CofferError>>;
  /** How secrets are doing: written soon, once per change, of several for one home the last. Returns at once. */
  tell(statuses: readonly SecretStatus[]): void;
  /** The mirror of this home was changed or deleted by others, or is of nothing that was carried: to be carried again. */
  onDisturbed(listener: (home: Key) => void): void;
  /** What stands in the way of all: the CustomResourceDefinition is missing, say. */
  readonly trouble: CofferError | undefined;
  /** Waits, for a short time, until what was told is written. */
  close(): Promise<void>;
}

export interface PublisherParts {
  client: KubeClient;
  objects: EncryptedSecrets;
  events: EventRecorder;
  /** The recipient that this operator opens for: mirrors hold its stanzas only. */
  cluster: string;
  /** Whether mirrors are made in this namespace. */
  isConfigured(namespace: string): boolean;
  now(): Date;
  signal: AbortSignal;
}

export function openPublisher(_parts: PublisherParts): Publisher {
  throw new Bug('not written yet');
}
