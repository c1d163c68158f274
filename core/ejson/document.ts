/** An ejson file: one JSON object whose `_public_key` says to whom its strings are sealed. docs/ejson.md has the rules. */

import { CofferError } from '../errors.ts';
import { unquote } from './json-string.ts';
import { KEY_LENGTH } from './keypair.ts';
import { positionOf } from './position.ts';
import { type StringToken, walk } from './walker.ts';

export interface EjsonDocument {
  bytes: Buffer;
  file: string;
  publicKey: Buffer;
  /** Keys and values, in the order of the text. */
  strings: StringToken[];
}

const PUBLIC_KEY_FIELD = Buffer.from('"_public_key"');
const HEX_KEY = /^[0-9a-fA-F]{64}$/;

/**
 * `multiline` allows strings to run over line ends, as the tool does where it seals and not where it opens. Throws
 * EJSON_SYNTAX, EJSON_NOT_UTF8, EJSON_PUBLIC_KEY_MISSING, EJSON_PUBLIC_KEY_INVALID or EJSON_PUBLIC_KEY_TWICE.
 */
export function readEjson(bytes: Buffer, file: string, options: { multiline: boolean }): EjsonDocument {
  const strings = walk(bytes, file, options);
  return { bytes, file, strings, publicKey: publicKeyOf(bytes, file, strings) };
}

/** The error's place, filled in from a string of the document. */
export function placeOfToken(
  document: EjsonDocument,
  token: StringToken,
): { file: string; line: number; column: number } {
  return { file: document.file, ...positionOf(document.bytes, token.start) };
}

function publicKeyOf(bytes: Buffer, file: string, strings: StringToken[]): Buffer {
  let found: Buffer | undefined;
  for (const [index, key] of strings.entries()) {
    if (key.role !== 'key' || key.depth !== 1 || !key.afterUnderscore) continue;
    if (PUBLIC_KEY_FIELD.compare(bytes, key.start, key.end) !== 0) continue;
    const data = { file, ...positionOf(bytes, key.start) };
    const value = strings[index + 1];
    const content = value?.role === 'value' && value.depth === 1 ? unquote(bytes, value.start, value.end) : undefined;
    const text = content?.toString('latin1') ?? '';
    if (!HEX_KEY.test(text)) {
      throw new CofferError('EJSON_PUBLIC_KEY_INVALID', '`_public_key` is not a string of 64 hexadecimal digits', {
        advice: 'Put the public key that `coffer ejson keygen` printed there.',
        data,
      });
    }
    const publicKey = Buffer.from(text, 'hex');
    if (found !== undefined && !found.equals(publicKey)) {
      throw new CofferError('EJSON_PUBLIC_KEY_TWICE', '`_public_key` stands here twice with different keys', {
        advice: 'Keep the one whose private key you hold and remove the other.',
        data,
      });
    }
    found = publicKey;
  }
  if (found?.length === KEY_LENGTH) return found;
  throw new CofferError('EJSON_PUBLIC_KEY_MISSING', 'the file has no `_public_key` at its top level', {
    advice: 'Add "_public_key": "…" with the public key that `coffer ejson keygen` printed.',
    data: { file },
  });
}
