import { mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { NAME } from '../../schemas/grammar.ts';
import { sodiumReady } from '../crypto/sodium.ts';
import { Bug, CofferError } from '../errors.ts';
import { writeFileAtomically } from '../files/atomic.ts';
import { fromSystemError } from '../files/system-error.ts';
import { keyIdOfSeed } from './key-id.ts';
import { identitySecretText, parseIdentitySecret, parseSecretKey, secretKeyText } from './key-texts.ts';

/**
 * Where secret keys are kept (docs/format.md, "Recipients"): files `KID.key` and `NAME.identity`, mode 0600, each with
 * one line that counts. They are read as bytes, and the bytes are wiped.
 */

export interface SecretKey {
  /** 32 hex digits, computed from the seed. */
  kid: string;
  /** 32 bytes. */
  seed: Buffer;
}

export interface SecretKeys {
  keys: ReadonlyMap<string, SecretKey>;
  /** One for each key file that is not used. */
  problems: CofferError[];
  /** Zeroes every seed; the keys are of no use afterwards. */
  wipe(): void;
}

const KEY_SUFFIX = '.key';
const IDENTITY_SUFFIX = '.identity';
/** A key file is about a hundred bytes; a larger one is something else. */
const FILE_LIMIT = 64 * 1024;

/**
 * A directory that does not exist holds no keys.
 *
 * @throws CofferError FILE_SYSTEM when the directory cannot be listed; what is wrong with one file is a problem:
 * KEY_FILE_NAME, KEY_FILE_MODE, KEY_FILE_LINES, KEY_TEXT_*, FILE_SYSTEM
 */
export async function readKeyDirectory(directory: string): Promise<SecretKeys> {
  await sodiumReady();
  const keys = new Map<string, SecretKey>();
  const problems: CofferError[] = [];
  for (const name of (await list(directory)).toSorted()) {
    if (!name.endsWith(KEY_SUFFIX)) continue;
    try {
      const key = await readKeyFile(join(directory, name), name.slice(0, -KEY_SUFFIX.length));
      keys.set(key.kid, key);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      problems.push(error);
    }
  }
  return {
    keys,
    problems,
    wipe: () => {
      for (const { seed } of keys.values()) seed.fill(0);
    },
  };
}

/** @returns the path of the file. @throws CofferError FILE_SYSTEM */
export async function storeSecretKey(directory: string, seed: Uint8Array): Promise<string> {
  await sodiumReady();
  const kid = keyIdOfSeed(seed);
  const file = join(directory, `${kid}${KEY_SUFFIX}`);
  await store(
    directory,
    `# coffer: the secret of the key ${kid}. Whoever has it can open what is sealed to it.`,
    secretKeyText(seed),
    (bytes) => writeFileAtomically(file, bytes, { mode: 0o600 }),
  );
  return file;
}

/**
 * Never replaces the identity of that name that is there.
 *
 * @returns the path of the file. @throws CofferError IDENTITY_EXISTS, FILE_SYSTEM
 */
export async function storeIdentity(directory: string, name: string, identitySeed: Uint8Array): Promise<string> {
  await sodiumReady();
  const file = identityFile(directory, name);
  await store(
    directory,
    `# coffer: the secret of the identity of ${name}. It endorses the keys of ${name}.`,
    identitySecretText(identitySeed),
    (bytes) => writeNewIdentity(file, name, bytes),
  );
  return file;
}

/** @returns the Ed25519 seed, 32 bytes, which the caller wipes. @throws CofferError KEY_FILE_*, KEY_TEXT_*, FILE_SYSTEM */
export async function readIdentity(directory: string, name: string): Promise<Buffer> {
  await sodiumReady();
  return await readSecret(identityFile(directory, name), parseIdentitySecret);
}

function identityFile(directory: string, name: string): string {
  if (!new RegExp(NAME).test(name)) throw new Bug('an identity has the name of a recipient');
  return join(directory, `${name}${IDENTITY_SUFFIX}`);
}

async function readKeyFile(file: string, kid: string): Promise<SecretKey> {
  const seed = await readSecret(file, parseSecretKey);
  const actual = keyIdOfSeed(seed);
  if (actual === kid) return { kid, seed };
  seed.fill(0);
  throw new CofferError('KEY_FILE_NAME', `${file} holds the key ${actual}`, {
    advice: `Name it ${actual}${KEY_SUFFIX}.`,
    data: { path: file, keyId: actual },
  });
}

async function readSecret(file: string, parse: (line: Uint8Array) => Buffer): Promise<Buffer> {
  const bytes = await readPrivateFile(file);
  try {
    const [line, ...others] = keyLines(bytes);
    if (line === undefined || others.length > 0) {
      throw new CofferError('KEY_FILE_LINES', `${file} must hold exactly one key`, {
        advice: 'Give each key a file of its own, one line beside comments (#).',
        data: { path: file },
      });
    }
    return parse(line);
  } catch (error) {
    throw error instanceof CofferError ? error.at({ path: file }) : error;
  } finally {
    bytes.fill(0);
  }
}

async function readPrivateFile(file: string): Promise<Buffer> {
  try {
    const handle = await open(file, 'r');
    try {
      const { mode, size } = await handle.stat();
      if ((mode & 0o077) !== 0) throw notPrivate(file, mode);
      if (size > FILE_LIMIT)
        throw new CofferError('KEY_FILE_LINES', `${file} is too large for a key file`, {
          advice: 'Move it elsewhere.',
          data: { path: file },
        });
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof CofferError ? error : (fromSystemError(error) ?? error);
  }
}

function notPrivate(file: string, mode: number): CofferError {
  return new CofferError('KEY_FILE_MODE', `${file} can be read by others (mode ${(mode & 0o777).toString(8)})`, {
    advice: `Run \`chmod 600 ${file}\`; if others had access to this machine, make a new key.`,
    data: { path: file },
  });
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACES = new Set(Buffer.from(' \t'));
const COMMENT = 0x23;

/** The lines that count, as views into `bytes`, without line ends. */
function keyLines(bytes: Buffer): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found === -1 ? bytes.length : found;
    const line = bytes.subarray(start, bytes[end - 1] === RETURN ? end - 1 : end);
    const first = line.find((byte) => !SPACES.has(byte));
    if (first !== undefined && first !== COMMENT) lines.push(line);
    start = end + 1;
  }
  return lines;
}

/** The system says whether it is there, so that of two that are stored at once the first stays. */
async function writeNewIdentity(file: string, name: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new CofferError('IDENTITY_EXISTS', `an identity of the name ${name} is in the key directory already`, {
      advice: 'Choose another name or another key directory; what is there stays.',
      data: { recipient: name, path: file },
      cause: error,
    });
  });
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await unlink(file);
    throw error;
  } finally {
    await handle.close();
  }
}

async function store(
  directory: string,
  comment: string,
  secret: Buffer,
  write: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  const bytes = Buffer.concat([Buffer.from(`${comment}\n`), secret, Buffer.from('\n')]);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await write(bytes);
  } catch (error) {
    throw fromSystemError(error) ?? error;
  } finally {
    bytes.fill(0);
    secret.fill(0);
  }
}

async function list(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw fromSystemError(error) ?? error;
  }
}
