import { createHash } from 'node:crypto';
import { type Refuse, refusal } from '../refusal.ts';
import { decodeBase64 } from './key-text.ts';
import { WireReader, wireString } from './wire.ts';

/** What a signature says of itself. Nothing of it is to be believed before it is verified. */
export interface SshSignature {
  /** The signer's key or certificate, as SSH writes it. */
  publicKey: Buffer;
  namespace: string;
  hash: 'sha256' | 'sha512';
  /** For `verifySignature`. */
  signature: Buffer;
}

const MAGIC = Buffer.from('SSHSIG');
const BEGIN = '-----BEGIN SSH SIGNATURE-----\n';
const END = '\n-----END SSH SIGNATURE-----\n';
/** What stands before and behind the base64. */
export const SIGNATURE_ARMOR = { begin: BEGIN, end: END } as const;

/**
 * Reads an armored SSH signature (PROTOCOL.sshsig), and in one form only: no bytes outside of the armor, no blanks in its
 * base64, nothing in the reserved field, which ssh-keygen neither fills nor signs.
 *
 * @throws CofferError SIGNATURE_MALFORMED, SIGNATURE_ALGORITHM
 */
export function readSshSignature(text: Buffer): SshSignature {
  const malformed: Refuse = (what) => refusal('SIGNATURE_MALFORMED', `the SSH signature ${what}`);
  const reader = new WireReader(unarmored(text, malformed), malformed);
  if (!reader.bytes(MAGIC.length).equals(MAGIC)) throw malformed('is none');
  if (reader.uint32() !== 1) throw malformed('is of another version than 1');
  const publicKey = reader.string();
  const namespace = reader.name();
  if (reader.string().length > 0) throw malformed('has something in its reserved field');
  const hash = reader.name();
  const signature = reader.string();
  reader.end();
  if (hash !== 'sha256' && hash !== 'sha512') {
    throw refusal('SIGNATURE_ALGORITHM', 'the SSH signature uses another hash than SHA-256 or SHA-512');
  }
  return { publicKey, namespace, hash, signature };
}

/** What the key signed for this message. */
export function signedData({ namespace, hash }: Pick<SshSignature, 'namespace' | 'hash'>, message: Buffer): Buffer {
  const parts = [namespace, '', hash, createHash(hash).update(message).digest()];
  return Buffer.concat([MAGIC, ...parts.map(wireString)]);
}

function unarmored(text: Buffer, malformed: Refuse): Buffer {
  const armored = text.toString('latin1');
  if (!armored.startsWith(BEGIN) || !armored.endsWith(END)) throw malformed('is not armored as ssh-keygen does it');
  const lines = armored.slice(BEGIN.length, -END.length).split('\n');
  const bytes = lines.includes('') ? undefined : decodeBase64(lines.join(''));
  if (bytes === undefined) throw malformed('is not in base64');
  return bytes;
}
