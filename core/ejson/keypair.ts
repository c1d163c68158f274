/**
 * Curve25519 key pairs as ejson writes them: 64 hexadecimal digits. X25519 is OpenSSL's, through node:crypto (about a
 * tenth of the time of a JavaScript one); what NaCl adds to it, HSalsa20, is tweetnacl's.
 */

import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import nacl from 'tweetnacl';
import { type Random, systemRandom } from '../crypto/random.ts';
import { CofferError } from '../errors.ts';
import { lowlevel } from './secretbox.ts';

/** DER up to the 32 bytes of the key, RFC 8410. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

export const KEY_LENGTH = 32;

const SIGMA = Buffer.from('expand 32-byte k');

/** Holds a private key of 32 bytes until `wipe`. */
export class Keypair {
  readonly publicKey: Buffer;
  readonly #privateKey: Buffer;

  constructor(privateKey: Buffer) {
    this.#privateKey = privateKey;
    const spki = createPublicKey(privateKeyObject(privateKey)).export({ format: 'der', type: 'spki' });
    this.publicKey = spki.subarray(SPKI_PREFIX.length);
  }

  static generate(random: Random = systemRandom): Keypair {
    return new Keypair(random(KEY_LENGTH));
  }

  get publicText(): string {
    return this.publicKey.toString('hex');
  }

  /** The private key as its file holds it, without the line end: to be wiped by the caller. */
  privateText(): Buffer {
    const text = Buffer.alloc(2 * KEY_LENGTH);
    for (const [index, byte] of this.#privateKey.entries()) {
      text[2 * index] = hexDigit(byte >> 4);
      text[2 * index + 1] = hexDigit(byte & 15);
    }
    return text;
  }

  /**
   * The key that both sides compute, `crypto_box_beforenm`. Throws EJSON_PUBLIC_KEY_WEAK for a public key of low order:
   * with it the shared key would be one that everybody knows.
   */
  sharedKey(publicKey: Uint8Array): Buffer {
    let shared: Buffer;
    try {
      shared = diffieHellman({
        privateKey: privateKeyObject(this.#privateKey),
        publicKey: createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' }),
      });
    } catch (cause) {
      throw new CofferError('EJSON_PUBLIC_KEY_WEAK', 'a public key is one that protects nothing', {
        advice: 'Make a new pair with `coffer ejson keygen`; if you did not write this key, find out who did.',
        cause,
      });
    }
    const boxKey = Buffer.alloc(nacl.box.sharedKeyLength);
    lowlevel.crypto_core_hsalsa20(boxKey, new Uint8Array(16), shared, SIGMA);
    shared.fill(0);
    return boxKey;
  }

  wipe(): void {
    this.#privateKey.fill(0);
  }
}

function privateKeyObject(privateKey: Buffer): KeyObject {
  const der = Buffer.concat([PKCS8_PREFIX, privateKey]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
