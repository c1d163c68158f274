/** What a delta says of the lengths of its base and of what it makes. Throws RangeError where it is torn. */
export function deltaSizes(delta: Buffer): { base: number; result: number; length: number } {
  let at = 0;
  const size = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = delta.readUInt8(at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (!Number.isSafeInteger(value)) throw new RangeError('a size without an end');
      if ((byte & 0x80) === 0) return value;
    }
  };
  return { base: size(), result: size(), length: at };
}

/**
 * Rebuilds an object from its base and a delta: two sizes, then instructions, each either a copy from the base (high bit
 * set; the other bits say which bytes of offset and length follow) or 1 to 127 bytes of new data. Git's pack-format page.
 * Throws RangeError where the delta does not fit the base.
 */
export function applyDelta(base: Buffer, delta: Buffer, limit: number): Buffer {
  const sizes = deltaSizes(delta);
  if (sizes.base !== base.length) throw new RangeError('a delta for another base');
  const length = sizes.result;
  let at = sizes.length;
  if (length > limit) throw new RangeError('a delta that makes too large an object');
  const result = Buffer.allocUnsafe(length);
  let written = 0;
  while (at < delta.length) {
    const instruction = delta.readUInt8(at++);
    if (instruction === 0) throw new RangeError('a reserved instruction');
    if ((instruction & 0x80) === 0) {
      if (at + instruction > delta.length || written + instruction > length)
        throw new RangeError('data beyond the end');
      delta.copy(result, written, at, at + instruction);
      at += instruction;
      written += instruction;
      continue;
    }
    let offset = 0;
    let count = 0;
    for (let bit = 0; bit < 4; bit++) if (instruction & (1 << bit)) offset += delta.readUInt8(at++) * 2 ** (8 * bit);
    for (let bit = 0; bit < 3; bit++) if (instruction & (0x10 << bit)) count += delta.readUInt8(at++) * 2 ** (8 * bit);
    if (count === 0) count = 0x10000;
    if (offset + count > base.length || written + count > length) throw new RangeError('a copy beyond the end');
    base.copy(result, written, offset, offset + count);
    written += count;
  }
  if (written !== length) throw new RangeError('a delta that ends early');
  return result;
}
