import { inSodium } from './sodium.ts';

/** Ed25519 (RFC 8032) by libsodium, which refuses public keys of low order and signatures that are not canonical. */

const SIGNATURE_LENGTH = 64;
const PUBLIC_KEY_LENGTH = 32;
const SIGNING_KEY_LENGTH = 64;

/** @param seed 32 bytes. @returns the public key, 32 bytes. */
export function ed25519PublicKey(seed: Uint8Array): Buffer {
  return inSodium((sodium, memory) => {
    const publicKey = memory.room(PUBLIC_KEY_LENGTH);
    sodium._crypto_sign_seed_keypair(publicKey, memory.room(SIGNING_KEY_LENGTH), memory.put(seed));
    return memory.take(publicKey, PUBLIC_KEY_LENGTH);
  });
}

/** @param seed 32 bytes, which stay the caller's to wipe. @returns 64 bytes. */
export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Buffer {
  return inSodium((sodium, memory) => {
    const signingKey = memory.room(SIGNING_KEY_LENGTH);
    const signature = memory.room(SIGNATURE_LENGTH);
    sodium._crypto_sign_seed_keypair(memory.room(PUBLIC_KEY_LENGTH), signingKey, memory.put(seed));
    sodium._crypto_sign_detached(signature, 0, memory.put(message), message.length, 0, signingKey);
    return memory.take(signature, SIGNATURE_LENGTH);
  });
}

/** Any bytes may be given: what is no key or no signature is not valid. */
export function ed25519Verify(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_LENGTH || publicKey.length !== PUBLIC_KEY_LENGTH) return false;
  return inSodium(
    (sodium, memory) =>
      sodium._crypto_sign_verify_detached(
        memory.put(signature),
        memory.put(message),
        message.length,
        0,
        memory.put(publicKey),
      ) === 0,
  );
}
