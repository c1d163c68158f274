/** NaCl's secretbox over tweetnacl's low-level functions, whose buffers can be wiped; its high-level ones keep copies. */

import nacl from 'tweetnacl';

/** What tweetnacl exports for this purpose without declaring it. Lengths and paddings as in NaCl's C interface. */
interface LowLevel {
  crypto_core_hsalsa20(out: Uint8Array, input: Uint8Array, key: Uint8Array, constant: Uint8Array): void;
  crypto_secretbox(c: Uint8Array, m: Uint8Array, length: number, nonce: Uint8Array, key: Uint8Array): number;
  crypto_stream_xor(
    out: Uint8Array,
    outAt: number,
    input: Uint8Array,
    inputAt: number,
    length: number,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  /** 0 if `tag` is the one of `input`, in constant time; the key is the first 32 bytes of `key`. */
  crypto_onetimeauth_verify(
    tag: Uint8Array,
    tagAt: number,
    input: Uint8Array,
    inputAt: number,
    length: number,
    key: Uint8Array,
  ): number;
}

export const lowlevel = (nacl as typeof nacl & { lowlevel: LowLevel }).lowlevel;

export const NONCE_LENGTH = nacl.box.nonceLength;
export const OVERHEAD = nacl.box.overheadLength;

/** Zero bytes that NaCl wants in front of a message, and in front of a box. */
const MESSAGE_PADDING = 32;
const BOX_PADDING = 16;

/** Seals and opens in two buffers of its own. What it returns is valid until the next call or `wipe`. */
export class Secretbox {
  #message = new Uint8Array(1024);
  #box = new Uint8Array(1024);

  seal(plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
    const length = MESSAGE_PADDING + plaintext.length;
    this.#reserve(length);
    this.#message.fill(0, 0, MESSAGE_PADDING);
    this.#message.set(plaintext, MESSAGE_PADDING);
    lowlevel.crypto_secretbox(this.#box, this.#message, length, nonce, key);
    return this.#box.subarray(BOX_PADDING, length);
  }

  /**
   * Undefined if the box was not made with this nonce and key. One pass of the key stream gives the authenticator's key,
   * where the padding's zeros are, and the plaintext, which is handed out only if the box is authentic; NaCl's own
   * function makes two passes.
   */
  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined {
    const length = BOX_PADDING + box.length;
    this.#reserve(length);
    this.#box.fill(0, 0, MESSAGE_PADDING);
    this.#box.set(box.subarray(OVERHEAD), MESSAGE_PADDING);
    lowlevel.crypto_stream_xor(this.#message, 0, this.#box, 0, length, nonce, key);
    const ciphertextLength = length - MESSAGE_PADDING;
    const { crypto_onetimeauth_verify } = lowlevel;
    if (crypto_onetimeauth_verify(box, 0, this.#box, MESSAGE_PADDING, ciphertextLength, this.#message) === 0) {
      return this.#message.subarray(MESSAGE_PADDING, length);
    }
    this.#message.fill(0);
    return undefined;
  }

  wipe(): void {
    this.#message.fill(0);
    this.#box.fill(0);
  }

  #reserve(length: number): void {
    if (length <= this.#message.length) return;
    this.wipe();
    this.#message = new Uint8Array(2 * length);
    this.#box = new Uint8Array(2 * length);
  }
}
