import { ed25519PublicKey, ed25519Sign } from '../../crypto/ed25519.ts';
import { SIGNATURE_ARMOR, signedData } from './sshsig.ts';
import { wireString } from './wire.ts';

const ALGORITHM = 'ssh-ed25519';
const HASH = 'sha512';
const MAGIC_AND_VERSION = Buffer.from('SSHSIG\0\0\0\u0001', 'latin1');
/** ssh-keygen breaks its base64 so (PROTOCOL.sshsig asks for lines of 76 or fewer). */
const LINES = /.{1,70}/g;

/**
 * Signs as `ssh-keygen -Y sign` does (PROTOCOL.sshsig), armored. `seed`: of Ed25519, 32 bytes, which stay the caller's to wipe.
 * `sodiumReady` comes first.
 */
export function signMessage(message: Buffer, namespace: string, seed: Uint8Array): string {
  const signature = ed25519Sign(seed, signedData({ namespace, hash: HASH }, message));
  const blob = Buffer.concat([
    ...[MAGIC_AND_VERSION, wireString(ed25519Blob(ed25519PublicKey(seed))), wireString(namespace), wireString('')],
    ...[wireString(HASH), wireString(Buffer.concat([wireString(ALGORITHM), wireString(signature)]))],
  ]);
  const lines = blob.toString('base64').match(LINES) ?? [];
  return `${SIGNATURE_ARMOR.begin}${lines.join('\n')}${SIGNATURE_ARMOR.end}`;
}

/** An Ed25519 public key of 32 bytes as SSH writes it (RFC 8709 §4). */
export function ed25519Blob(publicKey: Uint8Array): Buffer {
  return Buffer.concat([wireString(ALGORITHM), wireString(Buffer.from(publicKey))]);
}
