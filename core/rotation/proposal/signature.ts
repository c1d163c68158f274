import { decodeBase64url, encodeBase64url } from '../../crypto/base64url.ts';
import { ed25519Sign, ed25519Verify } from '../../crypto/ed25519.ts';
import { pae } from '../../crypto/pae.ts';
import { orNothing } from '../../errors.ts';

/** Who made a proposal, and what it is of (docs/format.md, "Proposals"). */
export interface Signed {
  cluster: string;
  /** Of the proposal. */
  id: string;
  /** base64url of the SHA-256 of its whole text. */
  digest: string;
}

/** @param identitySeed 32 bytes, of the cluster. @returns base64url of the signature. */
export function signProposal(identitySeed: Uint8Array, signed: Signed): string {
  return encodeBase64url(ed25519Sign(identitySeed, signedBytes(signed)));
}

/** Any text may be given: one that is no signature is not valid. */
export function isSignedBy(identity: Uint8Array, signature: string, signed: Signed): boolean {
  const bytes = orNothing(() => decodeBase64url(signature));
  return bytes !== undefined && ed25519Verify(identity, bytes, signedBytes(signed));
}

function signedBytes({ cluster, id, digest }: Signed): Buffer {
  return pae('coffer/v1/proposal', cluster, id, digest);
}
