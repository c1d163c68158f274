/** How a value's plaintext is written into a document: as a string if it is text, else as `!!binary`. */
import { isUtf8 } from 'node:buffer';
import { looksSealed } from '../sealed/value.ts';

/** Where the text goes: JSON and flow collections take no block scalar. */
export type Place =
  | { syntax: 'json' }
  | { syntax: 'yaml'; flow: true }
  | { syntax: 'yaml'; flow: false; indent: number };

/**
 * A scalar that reads as exactly these bytes, or undefined where the place has none for them (JSON, for bytes that are
 * not text).
 */
export function plaintextScalar(value: Uint8Array, place: Place): string | undefined {
  const text = asText(value);
  if (text === undefined) {
    return place.syntax === 'json' ? undefined : `!!binary "${Buffer.from(value).toString('base64')}"`;
  }
  if (place.syntax === 'json') return JSON.stringify(text);
  return (place.flow ? undefined : blockScalar(text, place.indent)) ?? doubleQuoted(text);
}

/**
 * Text that may stand in a document as it is: not NUL or a byte order mark, which docs/format.md refuses, nor what would
 * be read as sealed text.
 */
function asText(value: Uint8Array): string | undefined {
  if (!isUtf8(value)) return undefined;
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
  return /[\0\ufeff]/.test(text) || looksSealed(text) ? undefined : text;
}

/** Characters that YAML's printable set leaves out, or that some readers take for line ends. */
const ESCAPED = /[\u007f-\u009f\u2028\u2029\ufffe\uffff]/g;

function doubleQuoted(text: string): string {
  return JSON.stringify(text).replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What people edit with ease: a certificate as its lines. Only where no detail of YAML's block scalars matters. */
function blockScalar(text: string, indent: number): string | undefined {
  const clipped = text.endsWith('\n');
  const lines = (clipped ? text.slice(0, -1) : text).split('\n');
  const simple = lines.length > 1 && lines.every((line) => /^[^\s].*[^\s]$|^[^\s]$/.test(line) && !isSpecial(line));
  if (!simple) return undefined;
  const margin = ' '.repeat(indent);
  return [clipped ? '|' : '|-', ...lines.map((line) => margin + line)].join('\n');
}

function isSpecial(line: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/.test(line);
}
