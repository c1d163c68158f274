/** JSON strings as bytes, never as JavaScript strings: those cannot be wiped. */

import type { SecretBytes } from './secret-bytes.ts';

const BACKSLASH = 0x5c;
const HEX = '0123456789abcdef';
const UNESCAPED: Record<number, number> = { 98: 0x08, 102: 0x0c, 110: 0x0a, 114: 0x0d, 116: 0x09 };
const SHORT_ESCAPES: Record<number, string> = {
  34: '\\"',
  92: '\\\\',
  10: '\\n',
  13: '\\r',
  9: '\\t',
};

/**
 * The content of the well-formed string token `bytes[start..end)`, quotes included, in a buffer of its own. Undefined if
 * it escapes half a surrogate pair, which no UTF-8 text can hold.
 */
export function unquote(bytes: Buffer, start: number, end: number): Buffer | undefined {
  const content = Buffer.alloc(end - start - 2);
  let length = 0;
  for (let at = start + 1; at < end - 1; ) {
    const byte = bytes[at] ?? 0;
    if (byte !== BACKSLASH) {
      content[length++] = byte;
      at += 1;
      continue;
    }
    const letter = bytes[at + 1] ?? 0;
    if (letter !== 0x75) {
      content[length++] = UNESCAPED[letter] ?? letter;
      at += 2;
      continue;
    }
    let codePoint = readHex4(bytes, at + 2);
    at += 6;
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) {
      const low = bytes[at] === BACKSLASH && bytes[at + 1] === 0x75 ? readHex4(bytes, at + 2) : 0;
      if (codePoint > 0xdbff || low < 0xdc00 || low > 0xdfff) {
        content.fill(0);
        return undefined;
      }
      codePoint = 0x10000 + ((codePoint - 0xd800) << 10) + (low - 0xdc00);
      at += 6;
    }
    length = writeUtf8(content, length, codePoint);
  }
  return content.subarray(0, length);
}

/** Appends valid UTF-8 as a JSON string in exactly the spelling of the ejson tool, `<`, `>`, `&`, U+2028 and U+2029 escaped. */
export function appendQuoted(output: SecretBytes, content: Uint8Array): void {
  output.appendByte(0x22);
  let copied = 0;
  for (let at = 0; at < content.length; at++) {
    const byte = content[at] ?? 0;
    if (
      byte >= 0x20 &&
      byte !== 0x22 &&
      byte !== 0x26 &&
      byte !== 0x3c &&
      byte !== 0x3e &&
      byte !== 0x5c &&
      byte !== 0xe2
    ) {
      continue;
    }
    const isSeparator = byte === 0xe2 && content[at + 1] === 0x80 && ((content[at + 2] ?? 0) & 0xfe) === 0xa8;
    if (byte === 0xe2 && !isSeparator) continue;
    output.append(content, copied, at);
    if (isSeparator) {
      output.appendAscii(content[at + 2] === 0xa8 ? '\\u2028' : '\\u2029');
      at += 2;
    } else {
      output.appendAscii(SHORT_ESCAPES[byte] ?? `\\u00${HEX[byte >> 4]}${HEX[byte & 15]}`);
    }
    copied = at + 1;
  }
  output.append(content, copied);
  output.appendByte(0x22);
}

function readHex4(bytes: Buffer, at: number): number {
  let value = 0;
  for (let digit = 0; digit < 4; digit++) {
    const byte = bytes[at + digit] ?? 0;
    value = value * 16 + (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return value;
}

function writeUtf8(target: Buffer, at: number, codePoint: number): number {
  if (codePoint < 0x80) {
    target[at] = codePoint;
    return at + 1;
  }
  const continuations = codePoint < 0x800 ? 1 : codePoint < 0x10000 ? 2 : 3;
  const lead = [0, 0xc0, 0xe0, 0xf0][continuations] ?? 0;
  target[at] = lead | (codePoint >> (6 * continuations));
  for (let index = 1; index <= continuations; index++) {
    target[at + index] = 0x80 | ((codePoint >> (6 * (continuations - index))) & 0x3f);
  }
  return at + continuations + 1;
}
