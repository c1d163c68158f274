import { randomBytes, randomUUID } from 'node:crypto';
import { CofferError } from '../../core/errors.ts';

const KINDS = ['password', 'hex', 'base64', 'uuid'] as const;

const LENGTHS = { least: 8, most: 1024, usual: 32 };

/** Letters and digits: no character that a shell, URL, DSN or YAML reads as something else. */
const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789');

/**
 * A random value, as bytes of its text. `wanted`: `KIND[:LENGTH]`, where LENGTH counts the characters of a password and
 * the random bytes of hex and base64 (32 when absent). Throws GENERATE_KIND, GENERATE_LENGTH.
 */
export function generateValue(wanted: string): Buffer {
  const [kind = '', lengthText, ...rest] = wanted.split(':');
  if (rest.length > 0 || !KINDS.some((known) => known === kind)) {
    throw usage('GENERATE_KIND', '--generate knows password, hex, base64 and uuid', 'Write KIND or KIND:LENGTH.');
  }
  if (kind === 'uuid') {
    if (lengthText !== undefined) throw usage('GENERATE_LENGTH', 'a uuid has one length', 'Write --generate uuid.');
    return Buffer.from(randomUUID());
  }
  const length = readLength(lengthText);
  if (kind === 'password') return password(length);
  const random = randomBytes(length);
  const text = Buffer.from(random.toString(kind === 'hex' ? 'hex' : 'base64'));
  random.fill(0);
  return text;
}

function readLength(text: string | undefined): number {
  if (text === undefined) return LENGTHS.usual;
  const length = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (length >= LENGTHS.least && length <= LENGTHS.most) return length;
  throw usage(
    'GENERATE_LENGTH',
    `the length is not a number from ${LENGTHS.least} to ${LENGTHS.most}`,
    'Choose another length.',
  );
}

/** Random bytes at or above the largest multiple of the alphabet's size are thrown away: each letter is as likely. */
function password(length: number): Buffer {
  const limit = 256 - (256 % ALPHABET.length);
  const text = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const random = randomBytes(length * 2);
    for (const byte of random) {
      if (byte >= limit || filled === length) continue;
      text[filled] = ALPHABET[byte % ALPHABET.length] ?? 0;
      filled += 1;
    }
    random.fill(0);
  }
  return text;
}

function usage(code: string, message: string, advice: string): CofferError {
  return new CofferError(code, message, { advice, exit: 2 });
}
