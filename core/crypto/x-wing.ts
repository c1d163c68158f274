import { Bug, CofferError } from '../errors.ts';
import type { Random } from './random.ts';
import { inSodium } from './sodium.ts';

/**
 * The hybrid KEM X-Wing, ML-KEM-768 with X25519, as docs/format.md, "Stanza", pins it. libsodium computes it; what it
 * refuses as "invalid usage" is told apart here.
 */

export const SEED_LENGTH = 32;
/** ekM (1,184 bytes) ‖ pkX (32). */
export const PUBLIC_KEY_LENGTH = 1216;
/** ctM (1,088 bytes) ‖ ctX (32). */
export const ENC_LENGTH = 1120;
const SHARED_SECRET_LENGTH = 32;
/** ML-KEM-768's randomness, then the ephemeral X25519 secret. */
const ENCAPSULATION_SEED_LENGTH = 64;

/** @param seed 32 bytes. @returns 1,216 bytes. */
export function publicKeyFromSeed(seed: Uint8Array): Buffer {
  expectLength(seed, SEED_LENGTH, 'seed');
  return inSodium((sodium, memory) => {
    const publicKey = memory.room(PUBLIC_KEY_LENGTH);
    sodium._crypto_kem_xwing_seed_keypair(publicKey, memory.room(SEED_LENGTH), memory.put(seed));
    return memory.take(publicKey, PUBLIC_KEY_LENGTH);
  });
}

/**
 * @returns enc (1,120 bytes), and the shared secret (32), which the caller wipes.
 * @throws CofferError HPKE_KEY_LENGTH, HPKE_KEY_NOT_CANONICAL (FIPS 203 §7.2), HPKE_LOW_ORDER
 */
export function encapsulate(publicKey: Uint8Array, random: Random): { enc: Buffer; sharedSecret: Buffer } {
  if (publicKey.length !== PUBLIC_KEY_LENGTH) {
    throw badKey('HPKE_KEY_LENGTH', `a public key is ${PUBLIC_KEY_LENGTH} bytes, this one is ${publicKey.length}`);
  }
  if (!isCanonical(publicKey)) {
    throw badKey('HPKE_KEY_NOT_CANONICAL', 'the ML-KEM part of the public key is not canonical');
  }
  const encapsulationSeed = random(ENCAPSULATION_SEED_LENGTH);
  try {
    return inSodium((sodium, memory) => {
      const enc = memory.room(ENC_LENGTH);
      const shared = memory.room(SHARED_SECRET_LENGTH);
      const key = memory.put(publicKey);
      if (sodium._crypto_kem_xwing_enc_deterministic(enc, shared, key, memory.put(encapsulationSeed)) !== 0) {
        throw badKey('HPKE_LOW_ORDER', 'the X25519 part of the public key is a point of low order');
      }
      return { enc: memory.take(enc, ENC_LENGTH), sharedSecret: memory.take(shared, SHARED_SECRET_LENGTH) };
    });
  } finally {
    encapsulationSeed.fill(0);
  }
}

/**
 * Another key's enc gives another secret, not an error: ML-KEM refuses implicitly.
 *
 * @param seed 32 bytes. @param enc 1,120 bytes.
 * @returns the shared secret (32 bytes), which the caller wipes.
 * @throws CofferError HPKE_LOW_ORDER
 */
export function decapsulate(seed: Uint8Array, enc: Uint8Array): Buffer {
  expectLength(seed, SEED_LENGTH, 'seed');
  expectLength(enc, ENC_LENGTH, 'encapsulation');
  return inSodium((sodium, memory) => {
    const shared = memory.room(SHARED_SECRET_LENGTH);
    if (sodium._crypto_kem_xwing_dec(shared, memory.put(enc), memory.put(seed)) !== 0) {
      throw new CofferError('HPKE_LOW_ORDER', 'the encapsulated X25519 key is a point of low order', {
        advice: 'Nobody honest makes such a one: find out who committed it.',
      });
    }
    return memory.take(shared, SHARED_SECRET_LENGTH);
  });
}

const ML_KEM_PRIME = 3329;
/** 3 polynomials of 256 coefficients, 12 bits each; the 32 bytes of rho after them may be anything. */
const COEFFICIENT_BYTES = 1152;

/** FIPS 203 §7.2, the modulus check: every encoded coefficient is below q. */
function isCanonical(publicKey: Uint8Array): boolean {
  for (let at = 0; at < COEFFICIENT_BYTES; at += 3) {
    const [low, middle, high] = [publicKey[at] ?? 0, publicKey[at + 1] ?? 0, publicKey[at + 2] ?? 0];
    if ((low | ((middle & 0x0f) << 8)) >= ML_KEM_PRIME || ((middle >> 4) | (high << 4)) >= ML_KEM_PRIME) return false;
  }
  return true;
}

function badKey(code: string, message: string): CofferError {
  return new CofferError(code, message, { advice: 'Ask the owner of the recipient for its key again.' });
}

function expectLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new Bug(`a ${what} is ${length} bytes`);
}
