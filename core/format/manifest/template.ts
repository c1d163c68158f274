import { isUtf8 } from 'node:buffer';
import { base64Bytes } from '../../crypto/base64-bytes.ts';
import { CofferError } from '../../errors.ts';

/**
 * Templates (docs/format.md, "A manifest"): logic-free, one pass from left to right, and what was inserted is not
 * scanned again. `${entry}`, `${entry:uri}`, `${entry:json}`, `${entry:base64}`; `$${` gives `${`; any other `$` stands.
 */

export type TemplateEncoding = 'plain' | 'uri' | 'json' | 'base64';

/** A piece of a template: text that stands as it is, or the place of an entry. */
export type TemplatePart =
  | { kind: 'text'; text: string }
  | { kind: 'entry'; entry: string; encoding: TemplateEncoding };

/** An escape, a placeholder, or the beginning of something that is neither. */
const MARK = /\$\$\{|\$\{(?:(?!\.[:}])(?!\.\.)([-._a-zA-Z0-9]{1,253})(?::(uri|json|base64))?\})?/g;

/** @throws CofferError TEMPLATE_MALFORMED */
export function parseTemplate(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let literal = '';
  let end = 0;
  for (const mark of text.matchAll(MARK)) {
    literal += text.slice(end, mark.index);
    end = mark.index + mark[0].length;
    const [whole, entry, encoding = 'plain'] = mark;
    if (whole === '$${') {
      literal += '${';
    } else if (entry === undefined) {
      throw new CofferError('TEMPLATE_MALFORMED', `a placeholder at character ${mark.index + 1} is not complete`, {
        advice: 'Write ${entry}, ${entry:uri}, ${entry:json} or ${entry:base64}; for a plain ${ write $${.',
      });
    } else {
      if (literal !== '') parts.push({ kind: 'text', text: literal });
      literal = '';
      parts.push({ kind: 'entry', entry, encoding: encoding as TemplateEncoding });
    }
  }
  literal += text.slice(end);
  if (literal !== '') parts.push({ kind: 'text', text: literal });
  return parts;
}

/** The entries that a template needs. */
export function templateEntries(parts: readonly TemplatePart[]): Set<string> {
  return new Set(parts.flatMap((part) => (part.kind === 'entry' ? [part.entry] : [])));
}

/**
 * @returns the text as UTF-8, which the caller wipes. Values are never turned into strings on the way.
 * @throws CofferError TEMPLATE_UNKNOWN_ENTRY, TEMPLATE_ENTRY_NOT_UTF8
 */
export function renderTemplate(parts: readonly TemplatePart[], values: ReadonlyMap<string, Uint8Array>): Buffer {
  const pieces: Buffer[] = [];
  try {
    for (const part of parts) {
      pieces.push(
        part.kind === 'text' ? Buffer.from(part.text, 'utf8') : encode(textEntry(part.entry, values), part.encoding),
      );
    }
    const rendered = Buffer.alloc(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let offset = 0;
    for (const piece of pieces) {
      rendered.set(piece, offset);
      offset += piece.length;
    }
    return rendered;
  } finally {
    for (const piece of pieces) piece.fill(0);
  }
}

function textEntry(entry: string, values: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const value = values.get(entry);
  if (value === undefined) {
    throw new CofferError('TEMPLATE_UNKNOWN_ENTRY', `a template uses ${entry}, which is no entry of this manifest`, {
      advice: 'Correct the name, or set the entry.',
      data: { entry },
    });
  }
  if (!isUtf8(value)) {
    throw new CofferError('TEMPLATE_ENTRY_NOT_UTF8', `a template uses ${entry}, whose value is not UTF-8 text`, {
      advice: 'Project the entry by itself: templates are for text.',
      data: { entry },
    });
  }
  return value;
}

/** What each byte of a value becomes; undefined where it stands as it is. */
type EscapeTable = readonly (string | undefined)[];

/** Always in new memory, so that it can be wiped. */
function encode(value: Uint8Array, encoding: TemplateEncoding): Buffer {
  switch (encoding) {
    case 'plain':
      return copy(value);
    case 'uri':
      return escaped(value, PERCENT_ENCODED);
    case 'json':
      return escaped(value, JSON_ESCAPED);
    case 'base64':
      return base64Bytes(value);
  }
}

function copy(value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(value.length);
  bytes.set(value);
  return bytes;
}

function escaped(value: Uint8Array, table: EscapeTable): Buffer {
  let length = 0;
  for (const byte of value) length += table[byte]?.length ?? 1;
  const bytes = Buffer.alloc(length);
  let offset = 0;
  for (const byte of value) {
    const text = table[byte];
    if (text === undefined) {
      bytes[offset] = byte;
      offset += 1;
    } else {
      offset += bytes.write(text, offset, 'latin1');
    }
  }
  return bytes;
}

/** RFC 3986: everything but the unreserved characters, byte by byte. */
const PERCENT_ENCODED: EscapeTable = Array.from({ length: 256 }, (_, byte) =>
  /[-._~A-Za-z0-9]/.test(String.fromCharCode(byte))
    ? undefined
    : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);

/** RFC 8259 §7: what must be escaped, with the short forms where there are any; the rest stands as UTF-8. */
const JSON_ESCAPED: EscapeTable = Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === 0x22 || byte === 0x5c ? JSON.stringify(String.fromCharCode(byte)).slice(1, -1) : undefined,
);
