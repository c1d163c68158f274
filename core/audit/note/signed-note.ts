import { createPublicKey, hash, verify } from 'node:crypto';
import { CofferError } from '../../errors.ts';

/**
 * C2SP signed-note (https://c2sp.org/signed-note): a text, an empty line, and lines `— NAME base64(key id ‖ signature)`. Only
 * Ed25519 (type 0x01) is known here; lines of other keys are left alone, as the page demands.
 */

const ED25519 = 0x01;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEY_ID_BYTES = 4;
/** What we write has some 250 bytes; witnesses may add lines. */
export const NOTE_LIMIT = 64 * 1024;
const MOST_SIGNATURES = 100;

export interface Signature {
  name: string;
  /** 8 hex digits. */
  keyId: string;
  signature: Buffer;
}

export interface Note {
  /** With its last newline. */
  text: string;
  signatures: Signature[];
}

/** 8 hex digits, made of the name and the Ed25519 public key. */
export function keyIdOf(name: string, publicKey: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey]), 'hex').slice(0, 8);
}

/** The note for a text that ends with a newline, and the Ed25519 signature of it. */
export function noteOf(text: string, name: string, publicKey: Buffer, signature: Buffer): string {
  const signed = Buffer.concat([Buffer.from(keyIdOf(name, publicKey), 'hex'), signature]);
  return `${text}\n— ${name} ${signed.toString('base64')}\n`;
}

const SIGNATURE_LINE = /^— ([^\s+]{1,512}) ([A-Za-z0-9+/]{8,8192}={0,2})$/u;

/** Takes a note apart and believes none of it. Throws CofferError `AUDIT_CHECKPOINT_INVALID`. */
export function parseNote(note: string): Note {
  const end = note.lastIndexOf('\n\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the page forbids them.
  if (note.length > NOTE_LIMIT || end < 1 || !note.endsWith('\n') || /[\x00-\x09\x0b-\x1f]/.test(note)) {
    throw malformed('is not a signed note');
  }
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) throw malformed('has too many signatures');
  return { text: note.slice(0, end + 1), signatures: lines.map(signatureFrom) };
}

/** Whether that key signed the text under that name. Where its line is there and wrong, the whole note is refused: false. */
export function isSignedBy({ text, signatures }: Note, name: string, publicKey: Buffer): boolean {
  const keyId = keyIdOf(name, publicKey);
  const own = signatures.filter((line) => line.name === name && line.keyId === keyId);
  const key = ed25519Key(publicKey);
  return own.length > 0 && own.every(({ signature }) => verify(null, Buffer.from(text), key, signature));
}

/** Whether an Ed25519 signature of raw bytes is right. */
export function isSignature(text: Buffer, publicKey: Buffer, signature: Buffer): boolean {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  return verify(null, text, ed25519Key(publicKey), signature);
}

function signatureFrom(line: string): Signature {
  const [, name = '', base64 = ''] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  if (name === '' || bytes.toString('base64') !== base64 || bytes.length <= KEY_ID_BYTES) {
    throw malformed('has a signature line that is not one');
  }
  return { name, keyId: bytes.toString('hex', 0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** RFC 8410 §4: the fixed head of an Ed25519 SubjectPublicKeyInfo. */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

function ed25519Key(publicKey: Buffer) {
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: 'der', type: 'spki' });
}

function malformed(what: string): CofferError {
  return new CofferError('AUDIT_CHECKPOINT_INVALID', `The checkpoint ${what}.`, {
    advice: 'Take the file as the log wrote it, with its empty line and its last newline.',
    exit: 1,
  });
}
