/**
 * Pre-authentication encoding (docs/format.md, "Notation"): different lists of parts never give the same bytes.
 * Strings go in as UTF-8; count and lengths are 8 bytes, little-endian.
 */
export function pae(...parts: (string | Uint8Array)[]): Buffer {
  const pieces = [length64(parts.length)];
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
    pieces.push(length64(bytes.length), bytes);
  }
  return Buffer.concat(pieces);
}

function length64(length: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(length));
  return bytes;
}
