import { isUtf8 } from 'node:buffer';

const NEWLINE = 0x0a;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const TEXT = /^[\t\n\r\x20-\x7e\u00a0-\uffff]+$/;

/** What is probably not meant, as sentences that name the entry and never the value. */
export function valueWarnings(entry: string, value: Buffer): string[] {
  const warnings: string[] = [];
  if (value.length === 0) warnings.push(`${entry} is empty`);
  if (endsWithStrayNewline(value)) {
    warnings.push(`${entry} ends with a line end, which becomes part of the value (printf %s writes none)`);
  }
  if (looksEncoded(value)) {
    warnings.push(
      `${entry} looks like base64 of a text; coffer seals it as it stands and encodes nothing, so decode it first`,
    );
  }
  return warnings;
}

/** One line with a line end: somebody used `echo`. Files of many lines, such as PEM, end so by right. */
function endsWithStrayNewline(value: Buffer): boolean {
  return value.length > 1 && value.at(-1) === NEWLINE && value.indexOf(NEWLINE) === value.length - 1;
}

/** Random base64 decodes to bytes that are no text, so only base64 of a text is told. */
function looksEncoded(value: Buffer): boolean {
  if (value.length < 8 || value.length > 65_536) return false;
  const encoded = value.toString('latin1').trim();
  if (!BASE64.test(encoded)) return false;
  const decoded = Buffer.from(encoded, 'base64');
  const told = decoded.length > 0 && isUtf8(decoded) && TEXT.test(decoded.toString('utf8'));
  decoded.fill(0);
  return told;
}
