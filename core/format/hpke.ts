import { createHmac } from 'node:crypto';
import { Bug, CofferError } from '../errors.ts';
import { type Random, systemRandom } from './random.ts';
import { inSodium } from './sodium.ts';

/**
 * HPKE (RFC 9180), base mode, single shot, with X-Wing, HKDF-SHA256 and ChaCha20-Poly1305, as docs/format.md, "Stanza",
 * pins them. Sealed bytes are enc (1,120) ‖ ciphertext (plaintext + 16); aad is empty.
 */

export const SEED_LENGTH = 32;
export const PUBLIC_KEY_LENGTH = 1216;
export const ENC_LENGTH = 1120;
const TAG_LENGTH = 16;
const SHARED_SECRET_LENGTH = 32;
/** ML-KEM-768's encapsulation randomness, then the ephemeral X25519 secret. */
const ENCAPSULATION_SEED_LENGTH = 64;

/** Sequence number 0 of a context whose base nonce is never used again. */
const NONCE_LENGTH = 12;
const KEY_LENGTH = 32;

/** @param seed 32 bytes. @returns ekM (1,184 bytes) ‖ pkX (32). */
export function keyPairFromSeed(seed: Uint8Array): { publicKey: Buffer } {
  expectLength(seed, SEED_LENGTH, 'seed');
  return inSodium((sodium, memory) => {
    const publicKey = memory.room(PUBLIC_KEY_LENGTH);
    const secretKey = memory.room(SEED_LENGTH);
    sodium._crypto_kem_xwing_seed_keypair(publicKey, secretKey, memory.put(seed));
    return { publicKey: memory.take(publicKey, PUBLIC_KEY_LENGTH) };
  });
}

/**
 * @param publicKey 1,216 bytes.
 * @returns enc ‖ ciphertext.
 * @throws CofferError HPKE_KEY_LENGTH, HPKE_KEY_NOT_CANONICAL (FIPS 203 §7.2), HPKE_LOW_ORDER
 */
export function hpkeSeal(
  publicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
  random: Random = systemRandom,
): Buffer {
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
      const failed = sodium._crypto_kem_xwing_enc_deterministic(
        enc,
        shared,
        memory.put(publicKey),
        memory.put(encapsulationSeed),
      );
      if (failed !== 0) {
        throw badKey('HPKE_LOW_ORDER', 'the X25519 part of the public key is a point of low order');
      }
      const { key, nonce } = schedule(memory.take(shared, SHARED_SECRET_LENGTH), info);
      const ciphertextLength = plaintext.length + TAG_LENGTH;
      const ciphertext = memory.room(ciphertextLength);
      sodium._crypto_aead_chacha20poly1305_ietf_encrypt(
        ciphertext,
        0,
        memory.put(plaintext),
        plaintext.length,
        0,
        0,
        0,
        0,
        0,
        memory.put(nonce),
        memory.put(key),
      );
      key.fill(0);
      return Buffer.concat([memory.take(enc, ENC_LENGTH), memory.take(ciphertext, ciphertextLength)]);
    });
  } finally {
    encapsulationSeed.fill(0);
  }
}

/**
 * @param seed 32 bytes.
 * @returns the plaintext, which the caller wipes.
 * @throws CofferError HPKE_LENGTH, HPKE_LOW_ORDER, HPKE_REFUSED (another key, another info, or changed bytes: which of
 * them cannot be told)
 */
export function hpkeOpen(seed: Uint8Array, info: Uint8Array, sealed: Uint8Array): Buffer {
  expectLength(seed, SEED_LENGTH, 'seed');
  const ciphertextLength = sealed.length - ENC_LENGTH;
  const plaintextLength = ciphertextLength - TAG_LENGTH;
  if (plaintextLength < 0) {
    throw new CofferError('HPKE_LENGTH', 'the sealed bytes are too short', { advice: 'Restore them from git.' });
  }
  return inSodium((sodium, memory) => {
    const shared = memory.room(SHARED_SECRET_LENGTH);
    const failed = sodium._crypto_kem_xwing_dec(shared, memory.put(sealed.subarray(0, ENC_LENGTH)), memory.put(seed));
    if (failed !== 0) {
      throw new CofferError('HPKE_LOW_ORDER', 'the encapsulated X25519 key is a point of low order', {
        advice: 'Nobody honest makes such a one: find out who committed it.',
      });
    }
    const { key, nonce } = schedule(memory.take(shared, SHARED_SECRET_LENGTH), info);
    const plaintext = memory.room(plaintextLength);
    const refused = sodium._crypto_aead_chacha20poly1305_ietf_decrypt(
      plaintext,
      0,
      0,
      memory.put(sealed.subarray(ENC_LENGTH)),
      ciphertextLength,
      0,
      0,
      0,
      0,
      memory.put(nonce),
      memory.put(key),
    );
    key.fill(0);
    if (refused !== 0) {
      throw new CofferError('HPKE_REFUSED', 'this was sealed to another key or for another place, or it was changed', {
        advice: 'Compare with the commit that last worked.',
      });
    }
    return memory.take(plaintext, plaintextLength);
  });
}

// RFC 9180 §4 and §5.1, base mode. The KEM's shared secret enters as it is: X-Wing binds it to ciphertext and key.

const SUITE_ID = Buffer.from([...Buffer.from('HPKE'), 0x64, 0x7a, 0x00, 0x01, 0x00, 0x03]);
const VERSION_LABEL = 'HPKE-v1';
const EMPTY = Buffer.alloc(0);
const MODE_BASE = Buffer.from([0]);
const PSK_ID_HASH = labeledExtract(EMPTY, 'psk_id_hash', EMPTY);

/** Wipes the shared secret; the caller wipes the key. */
function schedule(sharedSecret: Buffer, info: Uint8Array): { key: Buffer; nonce: Buffer } {
  const context = Buffer.concat([MODE_BASE, PSK_ID_HASH, labeledExtract(EMPTY, 'info_hash', info)]);
  const secret = labeledExtract(sharedSecret, 'secret', EMPTY);
  const key = labeledExpand(secret, 'key', context, KEY_LENGTH);
  const nonce = labeledExpand(secret, 'base_nonce', context, NONCE_LENGTH);
  sharedSecret.fill(0);
  secret.fill(0);
  return { key, nonce };
}

function labeledExtract(salt: Uint8Array, label: string, input: Uint8Array): Buffer {
  return createHmac('sha256', salt).update(VERSION_LABEL).update(SUITE_ID).update(label).update(input).digest();
}

/** `length` is at most 32 bytes: one block of HKDF-Expand. */
function labeledExpand(key: Uint8Array, label: string, info: Uint8Array, length: number): Buffer {
  const block = createHmac('sha256', key)
    .update(Buffer.from([0, length]))
    .update(VERSION_LABEL)
    .update(SUITE_ID)
    .update(label)
    .update(info)
    .update(Buffer.from([1]))
    .digest();
  return block.subarray(0, length);
}

const ML_KEM_PRIME = 3329;
/** 3 polynomials of 256 coefficients, 12 bits each; the 32 bytes of rho after them may be anything. */
const COEFFICIENT_BYTES = 1152;

/** FIPS 203 §7.2, the modulus check: every encoded coefficient is below q. libsodium checks too, but cannot say so. */
function isCanonical(publicKey: Uint8Array): boolean {
  for (let at = 0; at < COEFFICIENT_BYTES; at += 3) {
    const [low = 0, middle = 0, high = 0] = publicKey.subarray(at, at + 3);
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
