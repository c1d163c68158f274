import { decodeBase64url, encodeBase64url } from '../crypto/base64url.ts';
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from '../crypto/ed25519.ts';
import { pae } from '../crypto/pae.ts';
import { orNothing } from '../errors.ts';

/** What an identity says of a key: this is one of mine (docs/format.md, "Recipients"). */

/** @param identitySeed 32 bytes. @returns the Ed25519 public key, 32 bytes. */
export function identityOf(identitySeed: Uint8Array): Buffer {
  return ed25519PublicKey(identitySeed);
}

/** @returns base64url of the signature. */
export function endorse(identitySeed: Uint8Array, recipient: string, kid: string, created: string): string {
  return encodeBase64url(ed25519Sign(identitySeed, endorsedBytes(recipient, kid, created)));
}

/** Any text may be given: one that is no signature is not valid. */
export function verifyEndorsement(
  identity: Uint8Array,
  endorsement: string,
  recipient: string,
  kid: string,
  created: string,
): boolean {
  const signature = orNothing(() => decodeBase64url(endorsement));
  return signature !== undefined && ed25519Verify(identity, signature, endorsedBytes(recipient, kid, created));
}

function endorsedBytes(recipient: string, kid: string, created: string): Buffer {
  return pae('coffer/v1/endorse', recipient, kid, created);
}
