import { CofferError } from '../../core/errors.ts';
import { ENTRY } from '../../schemas/grammar.ts';

/** A line of an env file; the value is a copy, the caller's to wipe. */
export interface EnvEntry {
  name: string;
  value: Buffer;
  line: number;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const EQUALS = 0x3d;
const HASH = 0x23;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');
const BLANKS = new Set([0x20, 0x09, 0x0b, 0x0c]);

/**
 * Reads an env file as `docker run --env-file` and `kubectl create secret --from-env-file` do: `NAME=VALUE` a line, blanks
 * before the name skipped, `#` lines and empty lines left out, and everything after the first `=` is the value as it
 * stands: no quotes, escapes, comments or variables are taken out of it. Two differences: a `NAME` without `=`, for which
 * they read the environment, is refused, and so is a name that stands there twice.
 *
 * Throws ENV_FILE_LINE. `file` is what errors name.
 */
export function readEnvFile(bytes: Buffer, file: string): EnvEntry[] {
  const entries = new Map<string, EnvEntry>();
  const begin = bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
  let line = 0;
  for (let start = begin; start < bytes.length; ) {
    line += 1;
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const entry = readLine(bytes.subarray(start, end), file, line);
    if (entry !== undefined) {
      if (entries.has(entry.name))
        throw refuse(file, line, `${entry.name} stands there twice`, 'Remove one of the two.');
      entries.set(entry.name, entry);
    }
    start = end + 1;
  }
  return [...entries.values()];
}

function readLine(whole: Buffer, file: string, line: number): EnvEntry | undefined {
  let start = 0;
  while (BLANKS.has(whole[start] ?? 0)) start += 1;
  const end = whole.at(-1) === RETURN ? whole.length - 1 : whole.length;
  const text = whole.subarray(start, Math.max(start, end));
  if (text.length === 0 || text[0] === HASH) return undefined;

  const equals = text.indexOf(EQUALS);
  if (equals === -1) {
    // What stands here may be a secret that lost its name, so it is not repeated.
    throw refuse(file, line, 'the line has no "="', 'Write NAME=VALUE; coffer takes no value from the environment.');
  }
  const name = text.subarray(0, equals).toString('latin1');
  if (!new RegExp(ENTRY).test(name)) {
    throw refuse(
      file,
      line,
      'what stands before "=" is not a name that an entry may have',
      'Use letters, digits, "_", "-" and "."; "export" and spaces do not belong there.',
    );
  }
  return { name, value: Buffer.from(text.subarray(equals + 1)), line };
}

function refuse(file: string, line: number, message: string, advice: string): CofferError {
  return new CofferError('ENV_FILE_LINE', message, { advice, data: { file, line } });
}
