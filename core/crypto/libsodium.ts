/**
 * libsodium as it is compiled to WebAssembly: what `libsodium-wrappers` calls underneath, and does not declare. The
 * wrappers' own functions leave copies of what they are given in the WebAssembly heap. Addresses are offsets into
 * `HEAPU8`; a 64-bit length is two parameters, low half first; functions that can fail return 0 when they have not.
 */

type Address = number;

export interface Libsodium {
  /** Replaced when the memory grows: never kept across a call that allocates. */
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): Address;
  _free(address: Address): void;
  _crypto_kem_xwing_seed_keypair(publicKey: Address, secretKey: Address, seed: Address): number;
  _crypto_kem_xwing_enc_deterministic(enc: Address, shared: Address, publicKey: Address, seed: Address): number;
  _crypto_kem_xwing_dec(shared: Address, enc: Address, secretKey: Address): number;
  _crypto_aead_chacha20poly1305_ietf_encrypt: Encrypt;
  _crypto_aead_chacha20poly1305_ietf_decrypt: Decrypt;
  _crypto_aead_xchacha20poly1305_ietf_encrypt: Encrypt;
  _crypto_aead_xchacha20poly1305_ietf_decrypt: Decrypt;
  _crypto_generichash(
    out: Address,
    outLength: number,
    input: Address,
    inputLength: number,
    inputLengthHigh: 0,
    key: 0,
    keyLength: 0,
  ): number;
  _crypto_sign_seed_keypair(publicKey: Address, secretKey: Address, seed: Address): number;
  _crypto_sign_detached(
    signature: Address,
    signatureLength: 0,
    message: Address,
    messageLength: number,
    messageLengthHigh: 0,
    secretKey: Address,
  ): number;
  _crypto_sign_verify_detached(
    signature: Address,
    message: Address,
    messageLength: number,
    messageLengthHigh: 0,
    publicKey: Address,
  ): number;
}

/** An AEAD's `encrypt`, ciphertext and tag in one piece. */
export type Encrypt = (
  ciphertext: Address,
  ciphertextLength: 0,
  message: Address,
  messageLength: number,
  messageLengthHigh: 0,
  aad: Address,
  aadLength: number,
  aadLengthHigh: 0,
  secretNonce: 0,
  nonce: Address,
  key: Address,
) => number;

export type Decrypt = (
  message: Address,
  messageLength: 0,
  secretNonce: 0,
  ciphertext: Address,
  ciphertextLength: number,
  ciphertextLengthHigh: 0,
  aad: Address,
  aadLength: number,
  aadLengthHigh: 0,
  nonce: Address,
  key: Address,
) => number;
