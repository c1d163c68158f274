/**
 * Pre-authentication encoding (docs/format.md, "Notation"): different lists of parts never give the same bytes.
 * Strings go in as UTF-8; count and lengths are 8 bytes, little-endian.
 */
export function pae(...parts: (string | Uint8Array)[]): Buffer {
  const lengths = parts.map((part) => (typeof part === 'string' ? Buffer.byteLength(part, 'utf8') : part.length));
  const encoded = Buffer.alloc(lengths.reduce((sum, length) => sum + 8 + length, 8));
  let offset = putLength(encoded, 0, parts.length);
  for (const [index, part] of parts.entries()) {
    const length = lengths[index] ?? 0;
    offset = putLength(encoded, offset, length);
    if (typeof part === 'string') encoded.write(part, offset, 'utf8');
    else encoded.set(part, offset);
    offset += length;
  }
  return encoded;
}

/** The upper half stays zero: no part is as long as 4 GiB. */
function putLength(into: Buffer, offset: number, length: number): number {
  into.writeUInt32LE(length, offset);
  return offset + 8;
}
