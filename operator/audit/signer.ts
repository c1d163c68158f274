import type { LogSigner } from '../../core/audit/log.ts';
import { journalKeyOf } from '../../core/audit/writer/journal-mark.ts';
import { ed25519PublicKey, ed25519Sign } from '../../core/crypto/ed25519.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import type { KeyStore } from '../keys/key-store.ts';

/** Signs checkpoints with the cluster's identity, which is read for each signature and wiped after it. */
export class IdentitySigner implements LogSigner {
  readonly #store: Pick<KeyStore, 'readIdentity'>;

  constructor(store: Pick<KeyStore, 'readIdentity'>) {
    this.#store = store;
  }

  /** Undefined: there is no identity yet. Throws CofferError where its place does not answer. */
  sign(text: Buffer): Promise<{ publicKey: Buffer; signature: Buffer } | undefined> {
    return this.#with((seed) => ({ publicKey: ed25519PublicKey(seed), signature: ed25519Sign(seed, text) }));
  }

  journalKey(origin: string): Promise<Buffer | undefined> {
    return this.#with((seed) => journalKeyOf(seed, origin));
  }

  /** Ed25519, 32 bytes. Otherwise as `sign`. */
  publicKey(): Promise<Buffer | undefined> {
    return this.#with(ed25519PublicKey);
  }

  async #with<Result>(use: (seed: Buffer) => Result): Promise<Result | undefined> {
    await sodiumReady();
    const seed = await this.#store.readIdentity();
    if (seed === undefined) return undefined;
    try {
      return use(seed);
    } finally {
      seed.fill(0);
    }
  }
}
