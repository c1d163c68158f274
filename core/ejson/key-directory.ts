/**
 * Where private keys are kept: a directory with a file for each, named by the public key, with the private key's 64
 * hexadecimal digits in it. The bytes never become a JavaScript string.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../errors.ts';
import { isSystemError } from '../files/system-error.ts';
import { KEY_LENGTH, Keypair } from './keypair.ts';

/** The key pair of a public key. Throws EJSON_KEY_MISSING, EJSON_KEY_UNREADABLE or EJSON_KEY_INVALID. */
export async function readKeypair(directory: string, publicKey: Buffer): Promise<Keypair> {
  const path = join(directory, publicKey.toString('hex'));
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if (!isSystemError(cause, 'ENOENT')) {
      throw new CofferError('EJSON_KEY_UNREADABLE', `the private key ${path} cannot be read`, {
        advice: 'Look at its owner and mode.',
        data: { path },
        cause,
      });
    }
    throw new CofferError('EJSON_KEY_MISSING', `there is no private key ${path}`, {
      advice: 'Name the key directory with --keydir or EJSON_KEYDIR, or give the key with --key-from-stdin.',
      data: { path },
      cause,
    });
  }
  try {
    return parsePrivateKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** Reads 64 hexadecimal digits with white space around them; `bytes` are the caller's to wipe. Throws EJSON_KEY_INVALID. */
export function parsePrivateKey(bytes: Uint8Array): Keypair {
  let start = 0;
  let end = bytes.length;
  while (start < end && isSpace(bytes[start])) start += 1;
  while (end > start && isSpace(bytes[end - 1])) end -= 1;
  const privateKey = Buffer.alloc(KEY_LENGTH);
  let valid = end - start === 2 * KEY_LENGTH;
  for (let index = 0; valid && index < KEY_LENGTH; index++) {
    const high = hexValue(bytes[start + 2 * index]);
    const low = hexValue(bytes[start + 2 * index + 1]);
    valid = high >= 0 && low >= 0;
    privateKey[index] = (high << 4) | low;
  }
  if (valid) return new Keypair(privateKey);
  privateKey.fill(0);
  throw new CofferError('EJSON_KEY_INVALID', 'a private key is not 64 hexadecimal digits', {
    advice: 'Give the line after "Private Key:" that `coffer ejson keygen` printed, or the file that it wrote.',
  });
}

/** Writes the private key into an existing directory, mode 0600, and returns the new file's path. */
export async function storeKeypair(directory: string, keypair: Keypair): Promise<string> {
  const path = join(directory, keypair.publicText);
  const text = Buffer.concat([keypair.privateText(), Buffer.from('\n')]);
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600, flush: true });
    return path;
  } catch (cause) {
    throw new CofferError('EJSON_KEY_UNWRITABLE', `the private key cannot be written to ${directory}`, {
      advice: `Make the directory (mkdir -m 0700 ${directory}) or name another with --keydir or EJSON_KEYDIR.`,
      data: { path },
      cause,
    });
  } finally {
    text.fill(0);
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = (byte | 0x20) - 0x57;
  return letter >= 10 && letter <= 15 ? letter : -1;
}
