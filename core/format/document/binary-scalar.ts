/** The text of a `!!binary` scalar: standard base64 with padding, whitespace allowed (docs/format.md, "Files and strings"). */

/** Undefined where a decoder that skips what it does not know would give something. */
export function binaryBytes(text: string): Buffer | undefined {
  const compact = text.replace(/[ \t\r\n]+/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) return undefined;
  const bytes = Buffer.from(compact, 'base64');
  return bytes.toString('base64') === compact ? bytes : undefined;
}
