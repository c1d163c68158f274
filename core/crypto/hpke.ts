import { createHmac } from 'node:crypto';
import { CofferError } from '../errors.ts';
import { type Random, systemRandom } from './random.ts';
import { inSodium } from './sodium.ts';
import { decapsulate, ENC_LENGTH, encapsulate } from './x-wing.ts';

/**
 * HPKE (RFC 9180), base mode, single shot, with X-Wing, HKDF-SHA256 and ChaCha20-Poly1305, as docs/format.md, "Stanza",
 * pins them. Sealed bytes are enc (1,120) ‖ ciphertext (plaintext + 16); aad is empty.
 */

const TAG_LENGTH = 16;
const KEY_LENGTH = 32;
/** Of sequence number 0; the context is used for nothing more. */
const NONCE_LENGTH = 12;

/** @throws CofferError HPKE_KEY_LENGTH, HPKE_KEY_NOT_CANONICAL, HPKE_LOW_ORDER */
export function hpkeSeal(
  publicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
  random: Random = systemRandom,
): Buffer {
  const { enc, sharedSecret } = encapsulate(publicKey, random);
  const { key, nonce } = keySchedule(sharedSecret, info);
  sharedSecret.fill(0);
  const ciphertextLength = plaintext.length + TAG_LENGTH;
  const ciphertext = inSodium((sodium, memory) => {
    const address = memory.room(ciphertextLength);
    const input = memory.put(plaintext);
    const [nonceAddress, keyAddress] = [memory.put(nonce), memory.put(key)];
    key.fill(0);
    sodium._crypto_aead_chacha20poly1305_ietf_encrypt(
      address,
      0,
      input,
      plaintext.length,
      0,
      ...NO_AAD,
      0,
      nonceAddress,
      keyAddress,
    );
    return memory.take(address, ciphertextLength);
  });
  return Buffer.concat([enc, ciphertext]);
}

/**
 * @param seed 32 bytes.
 * @returns the plaintext, which the caller wipes.
 * @throws CofferError HPKE_LENGTH, HPKE_LOW_ORDER, HPKE_REFUSED (another key, another info, or changed bytes: which of
 * them cannot be told)
 */
export function hpkeOpen(seed: Uint8Array, info: Uint8Array, sealed: Uint8Array): Buffer {
  const ciphertext = sealed.subarray(ENC_LENGTH);
  const plaintextLength = ciphertext.length - TAG_LENGTH;
  if (plaintextLength < 0) {
    throw new CofferError('HPKE_LENGTH', 'the sealed bytes are too short', { advice: 'Restore them from git.' });
  }
  const sharedSecret = decapsulate(seed, sealed.subarray(0, ENC_LENGTH));
  const { key, nonce } = keySchedule(sharedSecret, info);
  sharedSecret.fill(0);
  return inSodium((sodium, memory) => {
    const address = memory.room(plaintextLength);
    const input = memory.put(ciphertext);
    const [nonceAddress, keyAddress] = [memory.put(nonce), memory.put(key)];
    key.fill(0);
    const refused = sodium._crypto_aead_chacha20poly1305_ietf_decrypt(
      address,
      0,
      0,
      input,
      ciphertext.length,
      0,
      ...NO_AAD,
      nonceAddress,
      keyAddress,
    );
    if (refused === 0) return memory.take(address, plaintextLength);
    throw new CofferError('HPKE_REFUSED', 'this was sealed to another key or for another place, or it was changed', {
      advice: 'Compare with the commit that last worked.',
    });
  });
}

/** Address and both halves of the length. */
const NO_AAD = [0, 0, 0] as const;

const SUITE_ID = Buffer.from([...Buffer.from('HPKE'), 0x64, 0x7a, 0x00, 0x01, 0x00, 0x03]);
const VERSION_LABEL = 'HPKE-v1';
const EMPTY = Buffer.alloc(0);
const MODE_BASE = Buffer.from([0]);
const PSK_ID_HASH = labeledExtract(EMPTY, 'psk_id_hash', EMPTY);

/**
 * RFC 9180 §5.1, base mode. The KEM's shared secret enters as it is: X-Wing has hashed ciphertext and key into it.
 *
 * @returns key (32 bytes), which the caller wipes, and nonce (12).
 */
export function keySchedule(sharedSecret: Uint8Array, info: Uint8Array): { key: Buffer; nonce: Buffer } {
  const context = Buffer.concat([MODE_BASE, PSK_ID_HASH, labeledExtract(EMPTY, 'info_hash', info)]);
  const secret = labeledExtract(sharedSecret, 'secret', EMPTY);
  const key = labeledExpand(secret, 'key', context, KEY_LENGTH);
  const nonce = labeledExpand(secret, 'base_nonce', context, NONCE_LENGTH);
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
