import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto';
import type { LogSigner } from '../../core/audit/log.ts';
import { journalKeyOf } from '../../core/audit/writer/journal-mark.ts';

/** An Ed25519 identity that signs checkpoints. */
export interface TestSigner extends LogSigner {
  /** 32 bytes. */
  publicKey: Buffer;
}

/** RFC 8410 §7: the fixed head of an Ed25519 private key. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

export function testSigner(seed: Buffer = randomBytes(32)): TestSigner {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    publicKey,
    sign: async (text) => ({ publicKey, signature: sign(null, text, key) }),
    journalKey: async (origin) => journalKeyOf(seed, origin),
  };
}
