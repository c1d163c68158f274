import { sodiumReady } from '../../core/crypto/sodium.ts';
import type { KeyStore } from './key-store.ts';

/** What `use` makes of the cluster's identity, which is wiped then; undefined: there is none. Throws what the key store throws. */
export async function withIdentity<Result>(
  store: Pick<KeyStore, 'readIdentity'>,
  use: (seed: Buffer) => Result,
): Promise<Result | undefined> {
  await sodiumReady();
  const seed = await store.readIdentity();
  if (seed === undefined) return undefined;
  try {
    return use(seed);
  } finally {
    seed.fill(0);
  }
}
