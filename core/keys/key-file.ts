import { CofferError, type ErrorData } from '../errors.ts';
import { keyIdOfSeed } from './key-id.ts';
import { identitySecretText, parseIdentitySecret, parseSecretKey, secretKeyText } from './key-texts.ts';

/**
 * What stands in `KID.key` and `NAME.identity` (docs/format.md, "Recipients"), wherever they are kept: one line that counts
 * beside blank lines and comments. Only bytes, which are wiped. Needs `sodiumReady`.
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
export const KEY_FILE_LIMIT = 64 * 1024;

export function keyFileName(kid: string): string {
  return `${kid}${KEY_SUFFIX}`;
}

export function identityFileName(name: string): string {
  return `${name}${IDENTITY_SUFFIX}`;
}

/** The key id that the name of a key file says, or undefined for what is none. */
export function keyIdOfFileName(fileName: string): string | undefined {
  return fileName.endsWith(KEY_SUFFIX) ? fileName.slice(0, -KEY_SUFFIX.length) : undefined;
}

/** @returns the file's bytes, which the caller wipes. */
export function keyFileBytes(seed: Uint8Array): Buffer {
  const kid = keyIdOfSeed(seed);
  return withComment(
    `# coffer: the secret of the key ${kid}. Whoever has it can open what is sealed to it.`,
    secretKeyText(seed),
  );
}

/** @returns the file's bytes, which the caller wipes. */
export function identityFileBytes(name: string, identitySeed: Uint8Array): Buffer {
  return withComment(
    `# coffer: the secret of the identity of ${name}. It endorses the keys of ${name}.`,
    identitySecretText(identitySeed),
  );
}

/**
 * @param place what errors name it; the key id is what its file name says.
 * @throws CofferError KEY_FILE_NAME, KEY_FILE_LINES, KEY_TEXT_*
 */
function parseKeyFile(bytes: Buffer, kid: string, place: string): SecretKey {
  const seed = parseSecretFile(bytes, place, parseSecretKey);
  const actual = keyIdOfSeed(seed);
  if (actual === kid) return { kid, seed };
  seed.fill(0);
  throw new CofferError('KEY_FILE_NAME', `${place} holds the key ${actual}`, {
    advice: `Name it ${keyFileName(actual)}.`,
    data: { path: place, keyId: actual },
  });
}

/** @returns the Ed25519 seed, 32 bytes, which the caller wipes. @throws CofferError KEY_FILE_LINES, KEY_TEXT_* */
export function parseIdentityFile(bytes: Buffer, place: string): Buffer {
  return parseSecretFile(bytes, place, parseIdentitySecret);
}

/**
 * All keys of a place.
 *
 * @param read the bytes of a file, which are wiped here.
 */
export async function readKeyFiles(
  fileNames: Iterable<string>,
  placeOf: (fileName: string) => string,
  read: (fileName: string) => Buffer | Promise<Buffer>,
): Promise<SecretKeys> {
  const keys = new Map<string, SecretKey>();
  const problems: CofferError[] = [];
  const wipe = () => {
    for (const { seed } of keys.values()) seed.fill(0);
  };
  for (const fileName of [...fileNames].toSorted()) {
    const kid = keyIdOfFileName(fileName);
    if (kid === undefined) continue;
    try {
      const bytes = await read(fileName);
      try {
        keys.set(kid, parseKeyFile(bytes, kid, placeOf(fileName)));
      } finally {
        bytes.fill(0);
      }
    } catch (error) {
      if (!(error instanceof CofferError)) {
        wipe();
        throw error;
      }
      problems.push(error);
    }
  }
  return { keys, problems, wipe };
}

function parseSecretFile(bytes: Buffer, place: string, parse: (line: Uint8Array) => Buffer): Buffer {
  const data: ErrorData = { path: place };
  const [line, ...others] = keyLines(bytes);
  if (line === undefined || others.length > 0) {
    throw new CofferError('KEY_FILE_LINES', `${place} must hold exactly one key`, {
      advice: 'Give each key a file of its own, one line beside comments (#).',
      data,
    });
  }
  try {
    return parse(line);
  } catch (error) {
    throw error instanceof CofferError ? error.at(data) : error;
  }
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

function withComment(comment: string, secret: Buffer): Buffer {
  try {
    const before = Buffer.from(`${comment}\n`);
    // Not from the shared pool: wiping it wipes all of it.
    const bytes = Buffer.alloc(before.length + secret.length + 1, '\n');
    before.copy(bytes);
    secret.copy(bytes, before.length);
    return bytes;
  } finally {
    secret.fill(0);
  }
}
