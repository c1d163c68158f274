import type { CofferError } from '../errors.ts';

/** A file of signers as it is named in errors. */
export interface SignersFile {
  file: string;
  bytes: Buffer;
}

export interface Line {
  text: string;
  /** From 1. */
  number: number;
}

/** A line of a usual key has 100 to 800 bytes, so this is more than 10,000 signers. */
export const LARGEST_FILE = 16 * 1024 * 1024;

/** The lines of a file that say something, without comments and the blanks around them. */
export function* linesOf({ bytes }: SignersFile, refuse: (line: number, what: string) => CofferError): Generator<Line> {
  if (bytes.length > LARGEST_FILE) throw refuse(1, 'a file of more than 16 MiB');
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  for (let at = 0; at < bytes.length; ) {
    number += 1;
    const end = bytes.indexOf('\n', at);
    const line = bytes.subarray(at, end < 0 ? bytes.length : end);
    at = end < 0 ? bytes.length : end + 1;
    const text = line.toString('latin1').trim();
    if (text === '' || text.startsWith('#')) continue;
    yield { number, text: decoded(utf8, line, () => refuse(number, 'characters that are not UTF-8')) };
  }
}

function decoded(utf8: TextDecoder, line: Buffer, refuse: () => CofferError): string {
  try {
    const text = utf8.decode(line).trim();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a principal says ends up in terminals
    if (/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text)) throw refuse();
    return text;
  } catch (error) {
    if (error instanceof TypeError) throw refuse();
    throw error;
  }
}
