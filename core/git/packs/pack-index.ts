import { createHash } from 'node:crypto';

const HASH = 20;
/** From here on an offset stands in the table of 64-bit offsets. */
const LONG = 0x80000000;
/** So many objects an index can sort: a number holds 32 bits of a name and the place it came from. */
const MOST_OBJECTS = 1 << 21;

/** What a pack holds, in any order: the columns of its index. */
export interface IndexColumns {
  count: number;
  /** 20 bytes each. */
  oids: Buffer;
  offsets: Float64Array;
  /** Of the entries as they stand in the pack. */
  crcs: Uint32Array;
}

/** The index of a pack, version 2 (git's pack-format page). `trailer`: the hash that ends the pack. Throws RangeError for too many. */
export function packIndex(columns: IndexColumns, trailer: Buffer): Buffer {
  const { count, oids, offsets, crcs } = columns;
  if (count > MOST_OBJECTS) throw new RangeError('more objects than an index can sort');
  const order = sorted(count, oids);
  const long = [...order].map((i) => offsets[i] ?? 0).filter((offset) => offset >= LONG);
  const head = 8 + 256 * 4;
  const index = Buffer.alloc(head + count * (HASH + 8) + long.length * 8 + 2 * HASH);
  index.write('ff744f6300000002', 'hex');
  const [crcAt, offsetAt] = [head + count * HASH, head + count * (HASH + 4)];
  const longAt = offsetAt + count * 4;
  let longs = 0;
  for (const [place, i] of order.entries()) {
    oids.copy(index, head + place * HASH, i * HASH, (i + 1) * HASH);
    index.writeUInt32BE(crcs[i] ?? 0, crcAt + place * 4);
    const offset = offsets[i] ?? 0;
    index.writeUInt32BE(offset < LONG ? offset : LONG + longs, offsetAt + place * 4);
    if (offset >= LONG) index.writeBigUInt64BE(BigInt(offset), longAt + longs++ * 8);
  }
  for (let byte = 0, before = 0; byte < 256; byte++) {
    while (before < count && index.readUInt8(head + before * HASH) <= byte) before++;
    index.writeUInt32BE(before, 8 + byte * 4);
  }
  const end = index.length - 2 * HASH;
  trailer.copy(index, end);
  createHash('sha1')
    .update(index.subarray(0, end + HASH))
    .digest()
    .copy(index, end + HASH);
  return index;
}

/** The places in order of their names: numbers are sorted, which is many times quicker than to compare buffers. */
function sorted(count: number, oids: Buffer): Uint32Array {
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) keys[i] = oids.readUInt32BE(i * HASH) * MOST_OBJECTS + i;
  keys.sort();
  const order = Uint32Array.from(keys, (key) => key % MOST_OBJECTS);
  const compare = (a: number, b: number): number =>
    oids.compare(oids, b * HASH, (b + 1) * HASH, a * HASH, (a + 1) * HASH);
  // Few names begin with the same 32 bits, and those stand side by side.
  for (let i = 1; i < count; i++) {
    for (let j = i; j > 0 && compare(order[j - 1] ?? 0, order[j] ?? 0) > 0; j--) {
      const earlier = order[j - 1] ?? 0;
      order[j - 1] = order[j] ?? 0;
      order[j] = earlier;
    }
  }
  return order;
}
