import { decodeBase64url, encodeBase64url } from '../crypto/base64url.ts';
import { pae } from '../crypto/pae.ts';
import { inSodium } from '../crypto/sodium.ts';
import { CofferError } from '../errors.ts';

/**
 * What an identity says of a key: this is one of mine (docs/format.md, "Recipients"). Ed25519, by libsodium, which
 * refuses identities of low order and signatures that are not canonical.
 */

const SIGNATURE_LENGTH = 64;
const IDENTITY_LENGTH = 32;
const SIGNING_KEY_LENGTH = 64;

/** @param identitySeed 32 bytes. @returns the Ed25519 public key, 32 bytes. */
export function identityOf(identitySeed: Uint8Array): Buffer {
  return inSodium((sodium, memory) => {
    const identity = memory.room(IDENTITY_LENGTH);
    sodium._crypto_sign_seed_keypair(identity, memory.room(SIGNING_KEY_LENGTH), memory.put(identitySeed));
    return memory.take(identity, IDENTITY_LENGTH);
  });
}

/** @returns base64url of the signature. */
export function endorse(identitySeed: Uint8Array, recipient: string, kid: string, created: string): string {
  const message = endorsedBytes(recipient, kid, created);
  return inSodium((sodium, memory) => {
    const signingKey = memory.room(SIGNING_KEY_LENGTH);
    const signature = memory.room(SIGNATURE_LENGTH);
    sodium._crypto_sign_seed_keypair(memory.room(IDENTITY_LENGTH), signingKey, memory.put(identitySeed));
    sodium._crypto_sign_detached(signature, 0, memory.put(message), message.length, 0, signingKey);
    return encodeBase64url(memory.take(signature, SIGNATURE_LENGTH));
  });
}

/** Any text may be given: one that is no signature is not valid. */
export function verifyEndorsement(
  identity: Uint8Array,
  endorsement: string,
  recipient: string,
  kid: string,
  created: string,
): boolean {
  const signature = decodeSignature(endorsement);
  if (signature?.length !== SIGNATURE_LENGTH || identity.length !== IDENTITY_LENGTH) return false;
  const message = endorsedBytes(recipient, kid, created);
  return inSodium(
    (sodium, memory) =>
      sodium._crypto_sign_verify_detached(
        memory.put(signature),
        memory.put(message),
        message.length,
        0,
        memory.put(identity),
      ) === 0,
  );
}

function decodeSignature(text: string): Buffer | undefined {
  try {
    return decodeBase64url(text);
  } catch (error) {
    if (error instanceof CofferError) return undefined;
    throw error;
  }
}

function endorsedBytes(recipient: string, kid: string, created: string): Buffer {
  return pae('coffer/v1/endorse', recipient, kid, created);
}
