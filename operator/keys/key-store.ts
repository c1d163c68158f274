import type { SecretKeys } from '../../core/keys/key-file.ts';

/**
 * Where a cluster's secret keys are kept: any number of keys, and the one identity that endorses them. What is there is
 * never replaced; keys can be removed. All throw CofferError; that the place cannot be asked now has loop `retry`.
 */
export interface KeyStore {
  /** For people: a path, a Secret, a program. */
  readonly place: string;
  /** None is no error; a key that cannot be used is a problem. The caller wipes. */
  read(): Promise<SecretKeys>;
  /** Adds a key; one that is there already stays. */
  store(seed: Uint8Array): Promise<void>;
  /** For ever. That it is not there is no error. */
  remove(kid: string): Promise<void>;
  /** The Ed25519 seed, 32 bytes, which the caller wipes; undefined: there is none. */
  readIdentity(): Promise<Buffer | undefined>;
  /** Of two that are stored at once the first stays. Throws IDENTITY_EXISTS. */
  storeIdentity(identitySeed: Uint8Array): Promise<void>;
  /** Wipes what it keeps in memory. */
  close(): void;
}
