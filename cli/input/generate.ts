import { CofferError } from '../../core/errors.ts';
import { generateText } from '../../core/values/generate/generate.ts';
import { LENGTHS } from '../../core/values/generate/usual.ts';

const KINDS = ['password', 'hex', 'base64', 'uuid'] as const;

/**
 * A random value, as bytes of its text. `wanted`: `KIND[:LENGTH]`, where LENGTH counts the characters of a password and
 * the random bytes of hex and base64 (32 when absent). Throws GENERATE_KIND, GENERATE_LENGTH.
 */
export function generateValue(wanted: string): Buffer {
  const [word = '', lengthText, ...rest] = wanted.split(':');
  const kind = KINDS.find((known) => known === word);
  if (rest.length > 0 || kind === undefined) {
    throw usage('GENERATE_KIND', '--generate knows password, hex, base64 and uuid', 'Write KIND or KIND:LENGTH.');
  }
  if (kind === 'uuid' && lengthText !== undefined) {
    throw usage('GENERATE_LENGTH', 'a uuid has one length', 'Write --generate uuid.');
  }
  return generateText(kind, readLength(lengthText));
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

function usage(code: string, message: string, advice: string): CofferError {
  return new CofferError(code, message, { advice, exit: 2 });
}
