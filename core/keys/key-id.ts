import { blake2b } from '../crypto/blake2b.ts';
import { pae } from '../crypto/pae.ts';
import { publicKeyFromSeed } from '../crypto/x-wing.ts';

/** kid: 32 lower-case hex digits (docs/format.md, "Recipients"). */
export function keyId(publicKey: Uint8Array): string {
  return blake2b(16, pae('coffer/v1/key', publicKey)).toString('hex');
}

export function keyIdOfSeed(seed: Uint8Array): string {
  return keyId(publicKeyFromSeed(seed));
}
