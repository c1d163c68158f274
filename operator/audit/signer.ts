import type { LogSigner } from '../../core/audit/log.ts';
import { journalKeyOf } from '../../core/audit/writer/journal-mark.ts';
import { ed25519PublicKey, ed25519Sign } from '../../core/crypto/ed25519.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { withIdentity } from '../keys/with-identity.ts';

/** Signs checkpoints with the cluster's identity, which is read for each signature and wiped after it. */
export class IdentitySigner implements LogSigner {
  readonly #store: Pick<KeyStore, 'readIdentity'>;

  constructor(store: Pick<KeyStore, 'readIdentity'>) {
    this.#store = store;
  }

  /** Undefined: there is no identity yet. Throws CofferError where its place does not answer. */
  sign(text: Buffer): Promise<{ publicKey: Buffer; signature: Buffer } | undefined> {
    return withIdentity(this.#store, (seed) => ({
      publicKey: ed25519PublicKey(seed),
      signature: ed25519Sign(seed, text),
    }));
  }

  journalKey(origin: string): Promise<Buffer | undefined> {
    return withIdentity(this.#store, (seed) => journalKeyOf(seed, origin));
  }

  /** Ed25519, 32 bytes. Otherwise as `sign`. */
  publicKey(): Promise<Buffer | undefined> {
    return withIdentity(this.#store, ed25519PublicKey);
  }
}
