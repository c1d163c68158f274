import { link, mkdir, open, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_ID, NAME } from '../../schemas/grammar.ts';
import { systemRandom } from '../crypto/random.ts';
import { sodiumReady } from '../crypto/sodium.ts';
import { Bug, CofferError } from '../errors.ts';
import { flush, isTemporaryNameOf, writeFileAtomically } from '../files/atomic.ts';
import { listIfThere } from '../files/read-if-there.ts';
import { isSystemError, throwRefusal } from '../files/system-error.ts';
import {
  identityFileBytes,
  identityFileName,
  KEY_FILE_LIMIT,
  keyFileBytes,
  keyFileName,
  parseIdentityFile,
  readKeyFiles,
  type SecretKeys,
} from './key-file.ts';
import { keyIdOfSeed } from './key-id.ts';

export type { SecretKey, SecretKeys } from './key-file.ts';

/** Where secret keys are kept (docs/format.md, "Recipients"): files `KID.key` and `NAME.identity`, mode 0600. */

/**
 * A directory that does not exist holds no keys.
 *
 * @throws CofferError FILE_SYSTEM when the directory cannot be listed; what is wrong with one file is a problem:
 * KEY_FILE_NAME, KEY_FILE_MODE, KEY_FILE_LINES, KEY_TEXT_*, FILE_SYSTEM
 */
export async function readKeyDirectory(directory: string): Promise<SecretKeys> {
  await sodiumReady();
  const placeOf = (name: string) => join(directory, name);
  return await readKeyFiles(await listIfThere(directory), placeOf, (name) => readPrivateFile(placeOf(name)));
}

/** @returns the path of the file. @throws CofferError FILE_SYSTEM */
export async function storeSecretKey(directory: string, seed: Uint8Array): Promise<string> {
  await sodiumReady();
  const file = join(directory, keyFileName(keyIdOfSeed(seed)));
  await store(directory, keyFileBytes(seed), (bytes) => writeFileAtomically(file, bytes, { mode: 0o600 }));
  return file;
}

/**
 * Also what a killed `storeSecretKey` left of it. That there is no such key is no error. The names are off the disk when it resolves.
 *
 * @throws CofferError FILE_SYSTEM
 */
export async function removeSecretKey(directory: string, kid: string): Promise<void> {
  if (!new RegExp(KEY_ID).test(kid)) throw new Bug('a kid is 32 hex digits');
  const file = keyFileName(kid);
  const names = (await listIfThere(directory)).filter((name) => name === file || isTemporaryNameOf(file, name));
  if (names.length === 0) return;
  try {
    for (const name of names) await rm(join(directory, name), { force: true });
    await flush(directory);
  } catch (error) {
    throwRefusal(error);
  }
}

/**
 * Never replaces the identity of that name that is there.
 *
 * @returns the path of the file. @throws CofferError IDENTITY_EXISTS, FILE_SYSTEM
 */
export async function storeIdentity(directory: string, name: string, identitySeed: Uint8Array): Promise<string> {
  await sodiumReady();
  const file = identityFile(directory, name);
  await store(directory, identityFileBytes(name, identitySeed), (bytes) =>
    writeNewIdentity(directory, file, name, bytes),
  );
  return file;
}

/** @returns the Ed25519 seed, 32 bytes, which the caller wipes. @throws CofferError KEY_FILE_*, KEY_TEXT_*, FILE_SYSTEM */
export async function readIdentity(directory: string, name: string): Promise<Buffer> {
  await sodiumReady();
  const file = identityFile(directory, name);
  const bytes = await readPrivateFile(file);
  try {
    return parseIdentityFile(bytes, file);
  } finally {
    bytes.fill(0);
  }
}

function identityFile(directory: string, name: string): string {
  if (!new RegExp(NAME).test(name)) throw new Bug('an identity has the name of a recipient');
  return join(directory, identityFileName(name));
}

async function readPrivateFile(file: string): Promise<Buffer> {
  const handle = await open(file, 'r').catch(throwRefusal);
  try {
    const { mode, size } = await handle.stat();
    if ((mode & 0o077) !== 0) throw notPrivate(file, mode);
    if (size > KEY_FILE_LIMIT)
      throw new CofferError('KEY_FILE_LINES', `${file} is too large for a key file`, {
        advice: 'Move it elsewhere.',
        data: { path: file },
      });
    return await handle.readFile();
  } catch (error) {
    throwRefusal(error);
  } finally {
    await handle.close();
  }
}

function notPrivate(file: string, mode: number): CofferError {
  return new CofferError('KEY_FILE_MODE', `${file} can be read by others (mode ${(mode & 0o777).toString(8)})`, {
    advice: `Run \`chmod 600 ${file}\`; if others had access to this machine, make a new key.`,
    data: { path: file },
  });
}

/**
 * The system says whether it is there, so that of two that are stored at once the first stays; and it appears whole, so that
 * whoever is killed while storing leaves no damaged one behind.
 */
async function writeNewIdentity(directory: string, file: string, name: string, bytes: Buffer): Promise<void> {
  const whole = join(directory, `.${identityFileName(name)}.${systemRandom(8).toString('hex')}.tmp`);
  await writeFileAtomically(whole, bytes, { mode: 0o600 });
  try {
    await link(whole, file);
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
    throw new CofferError('IDENTITY_EXISTS', `an identity of the name ${name} is in the key directory already`, {
      advice: 'Choose another name or another key directory; what is there stays.',
      data: { recipient: name, path: file },
      cause: error,
    });
  } finally {
    await unlink(whole);
  }
  await flush(directory);
}

async function store(directory: string, bytes: Buffer, write: (bytes: Buffer) => Promise<void>): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await write(bytes);
  } catch (error) {
    throwRefusal(error);
  } finally {
    bytes.fill(0);
  }
}
