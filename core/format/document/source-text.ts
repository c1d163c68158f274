/** What a file's bytes must be before anything reads them as text: docs/format.md, "Files and strings". */
import { isUtf8 } from 'node:buffer';
import { CofferError } from '../../errors.ts';
import { Lines } from './lines.ts';

/** Files hold several documents of at most 1 MiB each (`LIMITS.documentBytes`); more than this nobody reviews. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A character that no coffer file may hold, raw or escaped: NUL, U+FEFF, half of a surrogate pair. */
export function forbiddenCharacter(text: string): { offset: number; name: string } | undefined {
  const offset = text.search(/[\0\uFEFF]/);
  if (offset >= 0) return { offset, name: text[offset] === '\0' ? 'a NUL' : 'a byte order mark' };
  if (text.isWellFormed()) return undefined;
  return { offset: text.search(/\p{Surrogate}/u), name: 'an unpaired surrogate' };
}

/** By its byte order mark. YAML 1.2 allows UTF-16 and other tools read it, so it may not pass as no text at all. */
export function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
}

/**
 * Bytes as text: UTF-8, no BOM, no NUL, at most 16 MiB.
 * Throws FILE_TOO_LARGE, FILE_NOT_UTF8 or FILE_CHARACTER, whatever the file is: ask `mayHoldCoffer` before.
 */
export function sourceText(bytes: Uint8Array, file: string): string {
  if (bytes.length > MAX_FILE_BYTES) {
    throw new CofferError('FILE_TOO_LARGE', `The file is larger than ${MAX_FILE_BYTES} bytes.`, {
      advice: 'Split it into several files.',
      data: { file },
    });
  }
  const text = decode(bytes, file);
  const forbidden = forbiddenCharacter(text);
  if (forbidden === undefined) return text;
  throw new CofferError('FILE_CHARACTER', `The file contains ${forbidden.name}.`, {
    advice: 'Save it as UTF-8 text without a byte order mark and without control characters.',
    data: { file, ...new Lines(text).place(forbidden.offset) },
  });
}

/** Without a `TextDecoder`: the first strict one of a process loads ICU's tables, 5 ms of a short command. */
function decode(bytes: Uint8Array, file: string): string {
  if (!isUtf8(bytes)) {
    throw new CofferError('FILE_NOT_UTF8', 'The file is not UTF-8.', {
      advice: 'Save it as UTF-8 text.',
      data: { file },
    });
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
