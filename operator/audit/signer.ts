import type { LogSigner } from '../../core/audit/log.ts';
import { ed25519PublicKey, ed25519Sign } from '../../core/crypto/ed25519.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import type { KeyStore } from '../keys/key-store.ts';

/**
 * Signs checkpoints with the cluster's identity, which is read for each signature and wiped after it. Where there is none yet, or
 * its place does not answer, nothing is signed: records are durable without, and the next checkpoint covers them.
 */
export class IdentitySigner implements LogSigner {
  readonly #store: Pick<KeyStore, 'readIdentity'>;
  /** Why the identity could not be read when it was asked for last. */
  trouble: CofferError | undefined;

  constructor(store: Pick<KeyStore, 'readIdentity'>) {
    this.#store = store;
  }

  async sign(text: Buffer): Promise<{ publicKey: Buffer; signature: Buffer } | undefined> {
    await sodiumReady();
    const seed = await this.#identity();
    if (seed === undefined) return undefined;
    try {
      return { publicKey: ed25519PublicKey(seed), signature: ed25519Sign(seed, text) };
    } finally {
      seed.fill(0);
    }
  }

  async #identity(): Promise<Buffer | undefined> {
    try {
      const seed = await this.#store.readIdentity();
      this.trouble = undefined;
      return seed;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.trouble = error;
      return undefined;
    }
  }
}
