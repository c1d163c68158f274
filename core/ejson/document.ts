/** An ejson file: one JSON object whose `_public_key` says to whom its strings are sealed. docs/ejson.md has the rules. */

import { CofferError } from '../errors.ts';
import { unquote } from './json-string.ts';
import { positionOf } from './position.ts';
import { type StringToken, Walker } from './walker.ts';

export interface EjsonDocument {
  bytes: Buffer;
  file: string;
  /** Whether strings may run over line ends: where the tool seals, and not where it opens. */
  multiline: boolean;
  publicKey: Buffer;
}

const PUBLIC_KEY_FIELD = Buffer.from('"_public_key"');
const HEX_KEY = /^[0-9a-fA-F]{64}$/;

/**
 * Reads as far as the public key; `eachString` reads the rest. Throws EJSON_SYNTAX, EJSON_NOT_UTF8, EJSON_PUBLIC_KEY_MISSING
 * or EJSON_PUBLIC_KEY_INVALID.
 */
export function readEjson(bytes: Buffer, file: string, { multiline }: { multiline: boolean }): EjsonDocument {
  const walker = new Walker(bytes, file, { multiline });
  for (let token = walker.next(); token !== undefined; token = walker.next()) {
    if (isPublicKeyField(bytes, token)) {
      return { bytes, file, multiline, publicKey: publicKeyUnder(bytes, file, { ...token }, walker.next()) };
    }
  }
  throw new CofferError('EJSON_PUBLIC_KEY_MISSING', 'the file has no `_public_key` at its top level', {
    advice: 'Add "_public_key": "…" with the public key that `coffer ejson keygen` printed.',
    data: { file },
  });
}

/**
 * Calls `visit` with every string of the document, in order; the token is one object, which the next call changes. Throws
 * EJSON_SYNTAX, or EJSON_PUBLIC_KEY_TWICE where the document names another public key further on, at whatever point it
 * finds that: what `visit` made is good only if this returns.
 */
export function eachString(document: EjsonDocument, visit: (token: Readonly<StringToken>) => void): void {
  const { bytes, file, publicKey } = document;
  const walker = new Walker(bytes, file, document);
  for (let token = walker.next(); token !== undefined; token = walker.next()) {
    visit(token);
    if (!isPublicKeyField(bytes, token)) continue;
    const field = { ...token };
    const value = walker.next();
    if (!publicKeyUnder(bytes, file, field, value).equals(publicKey)) {
      throw new CofferError('EJSON_PUBLIC_KEY_TWICE', '`_public_key` stands here twice with different keys', {
        advice: 'Keep the one whose private key you hold and remove the other.',
        data: placeOfToken(document, field),
      });
    }
    if (value !== undefined) visit(value);
  }
}

/** Where a string stands, for an error. */
export function placeOfToken(
  { bytes, file }: Pick<EjsonDocument, 'bytes' | 'file'>,
  token: StringToken,
): { file: string; line: number; column: number } {
  return { file, ...positionOf(bytes, token.start) };
}

/** Spelled without escapes: the tool does not see an underscore that is spelled with one. */
function isPublicKeyField(bytes: Buffer, { role, depth, afterUnderscore, start, end }: StringToken): boolean {
  return role === 'key' && depth === 1 && afterUnderscore && PUBLIC_KEY_FIELD.compare(bytes, start, end) === 0;
}

/** `next` is the string after the field: its value, unless that is no string. */
function publicKeyUnder(bytes: Buffer, file: string, field: StringToken, next: StringToken | undefined): Buffer {
  const isValue = next?.role === 'value' && next.depth === 1;
  const text = isValue ? unquote(bytes, next.start, next.end)?.toString('latin1') : undefined;
  if (text !== undefined && HEX_KEY.test(text)) return Buffer.from(text, 'hex');
  throw new CofferError('EJSON_PUBLIC_KEY_INVALID', '`_public_key` is not a string of 64 hexadecimal digits', {
    advice: 'Put the public key that `coffer ejson keygen` printed there.',
    data: placeOfToken({ bytes, file }, field),
  });
}
