import type { CofferError } from '../../../core/errors.ts';
import type { Key } from '../../project/namespaced-name.ts';

/** EncryptedSecret objects that somebody else than this operator applies, as one watch over the cluster shows them. */
export interface ObjectStore {
  /** Resolves when all of them have been seen once. */
  readonly synced: Promise<void>;
  /** Why the objects of this namespace (absent: of any) cannot be seen now: what is not shown may be there. */
  trouble(namespace?: string): CofferError | undefined;
  /** Those that are there and were not made by this operator. */
  foreign(): Iterable<{ namespace: string; name: string; isMirror: boolean }>;
  /** Undefined where there is none. */
  get(key: Key): { uid: string; isMirror: boolean } | undefined;
  /** A manifest of one document, JSON, without what the server added; to be called for those of others only. */
  manifestText(key: Key): Buffer;
  onChange(listener: (key: Key) => void): void;
}

export interface CarriedObjects {
  store: ObjectStore;
  /** Whether objects of this namespace are projected at all. */
  isCarried(namespace: string): boolean;
  /** Whether they are projected although no accepted commit has them. */
  isUnverifiedAllowed(namespace: string): boolean;
}
