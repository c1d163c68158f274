import { deflateSync, inflateSync } from 'node:zlib';
import type { ObjectType } from '../object-type.ts';

const KINDS: Record<ObjectType, number> = { commit: 1, tree: 2, blob: 3, tag: 4 };
const TYPES: Record<number, ObjectType> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const OFFSET_DELTA = 6;
const REFERENCE_DELTA = 7;
const HASH = 20;

/** No entry's header is longer: ten bytes of size, then a name or ten bytes of distance. */
export const LONGEST_HEADER = 32;

/** What stands before the compressed bytes of an entry in a pack. */
export interface EntryHeader {
  /** Of the header itself, in bytes. */
  length: number;
  /** Inflated, in bytes. */
  size: number;
  /** `back`: how far before this entry its base begins. */
  kind: { type: ObjectType } | { back: number } | { base: string };
}

/**
 * Reads the header of the entry that begins at `at`: three bits of kind, the size with its lowest bits first, and for a delta
 * its base (git's pack-format page). Throws RangeError.
 */
export function readEntryHeader(bytes: Buffer, at: number): EntryHeader {
  let next = at;
  let byte = bytes.readUInt8(next++);
  const kind = (byte >> 4) & 7;
  let size = byte & 0x0f;
  for (let shift = 4; byte & 0x80; shift += 7) {
    byte = bytes.readUInt8(next++);
    size += (byte & 0x7f) * 2 ** shift;
    if (!Number.isSafeInteger(size)) throw new RangeError('a size without an end');
  }
  if (kind === OFFSET_DELTA) {
    byte = bytes.readUInt8(next++);
    let back = byte & 0x7f;
    while (byte & 0x80) {
      byte = bytes.readUInt8(next++);
      back = (back + 1) * 128 + (byte & 0x7f);
      if (!Number.isSafeInteger(back)) throw new RangeError('a distance without an end');
    }
    if (back === 0) throw new RangeError('a delta against itself');
    return { length: next - at, size, kind: { back } };
  }
  if (kind === REFERENCE_DELTA) {
    if (next + HASH > bytes.length) throw new RangeError('a header that ends early');
    return { length: next + HASH - at, size, kind: { base: bytes.toString('hex', next, next + HASH) } };
  }
  const type = TYPES[kind];
  if (type === undefined) throw new RangeError('an object of no known type');
  return { length: next - at, size, kind: { type } };
}

/** zlib never makes more than this of `size` bytes (its compressBound, with room for a stored block each 4 KiB). */
export function deflatedBound(size: number): number {
  return size + (size >>> 9) + 64;
}

/** With `info`, zlib also says how much it has read; the types of Node know only of the bytes. */
type Inflated = { buffer: Buffer; engine: { bytesWritten: number } };

/**
 * Inflates one zlib stream of a known size, and no further; what follows it in `bytes` is ignored. `read`: how many bytes the
 * stream had. Throws RangeError.
 */
export function inflateEntry(bytes: Buffer, size: number): { inflated: Buffer; read: number } {
  // One chunk, one byte longer than it needs: zlib's usual 16 KiB would stay allocated behind every small object.
  const options = { maxOutputLength: size + 1, chunkSize: Math.max(64, size + 1), info: true };
  let result: Inflated;
  try {
    result = inflateSync(bytes, options) as unknown as Inflated;
  } catch (cause) {
    throw new RangeError('compressed data that is damaged', { cause });
  }
  if (result.buffer.length !== size) throw new RangeError('compressed data of another length');
  return { inflated: result.buffer, read: result.engine.bytesWritten };
}

/** A whole object as an entry of a pack. */
export function packedEntry(type: ObjectType, bytes: Buffer): Buffer {
  return Buffer.concat([entryHeader(KINDS[type], bytes.length), deflateSync(bytes, { level: 1 })]);
}

/** A delta against what stands `back` bytes before it, as an entry of a pack. `size`: inflated. */
export function deltaEntry(back: number, size: number, deflated: Buffer): Buffer {
  // Big end first, and each further byte counts one more (pack-format, "offset encoding").
  const distance = [back % 128];
  for (let rest = Math.floor(back / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    distance.unshift((rest % 128) | 0x80);
  }
  return Buffer.concat([entryHeader(OFFSET_DELTA, size), Buffer.from(distance), deflated]);
}

/** Three bits of kind and the size in a variable number of bytes, lowest bits first. */
function entryHeader(kind: number, size: number): Buffer {
  const bytes = [(kind << 4) | (size % 16)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) | 0x80;
    bytes.push(rest % 128);
  }
  return Buffer.from(bytes);
}
