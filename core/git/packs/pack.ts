import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { CofferError } from '../../errors.ts';
import type { ObjectType } from '../object-type.ts';
import { deltaSizes } from './delta.ts';
import { deflatedBound, inflateEntry, readEntryHeader } from './pack-entry.ts';

export type { ObjectType } from '../object-type.ts';

/** What a pack holds at an offset: an object, or a delta against an object elsewhere. */
export type Packed =
  | { type: ObjectType; bytes: Buffer }
  | { type: 'delta'; base: { offset: number } | { oid: string }; bytes: Buffer };

/** Larger objects are refused: a manifest is at most 1 MiB, and a file of 10,000 usual ones some tens of MiB. */
export const LARGEST_OBJECT = 128 * 1024 * 1024;

/** An entry of a pack. */
export interface PackPlace {
  oid: string;
  offset: number;
  /** Where the next one begins. */
  end: number;
  /** Of its bytes. */
  crc: number;
}

const INDEX_HEAD = 8;
const FANOUT = 256 * 4;
const HASH = 20;

/**
 * A pack and its version 2 index (git's pack-format page). The index is held in memory, the pack is read where an object
 * lies: reading one object costs the same in a large pack as in a small one. Throws RangeError where either is damaged.
 */
export class Pack {
  readonly file: string;
  readonly count: number;
  readonly #index: Buffer;
  #descriptor: number | undefined;
  #size = 0;

  constructor(indexFile: string) {
    this.file = indexFile.replace(/\.idx$/, '.pack');
    this.#index = readFileSync(indexFile);
    this.count = checkIndex(this.#index);
  }

  /** The offset of an object, `undefined` where this pack has none of that name. */
  find(oid: Buffer): number | undefined {
    const first = oid.readUInt8(0);
    let low = first === 0 ? 0 : this.#fanout(first - 1);
    let high = this.#fanout(first);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = INDEX_HEAD + FANOUT + middle * HASH;
      const order = this.#index.compare(oid, 0, HASH, at, at + HASH);
      if (order === 0) return this.#offset(middle);
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  /** The names that begin with these hex digits. */
  startingWith(prefix: string): string[] {
    const even = Buffer.from(prefix.length % 2 === 0 ? prefix : `${prefix}0`, 'hex');
    const first = even.readUInt8(0);
    const found: string[] = [];
    for (let i = first === 0 ? 0 : this.#fanout(first - 1); i < this.#fanout(first); i++) {
      const oid = this.#name(i);
      if (oid.startsWith(prefix)) found.push(oid);
    }
    return found;
  }

  /** Where each object lies, in the order of the pack. */
  entries(): PackPlace[] {
    this.#open();
    const places = Array.from({ length: this.count }, (_, i) => ({ i, offset: this.#offset(i) }));
    places.sort((a, b) => a.offset - b.offset);
    return places.map(({ i, offset }, place) => {
      const end = places[place + 1]?.offset ?? this.#size - HASH;
      const crc = this.#index.readUInt32BE(INDEX_HEAD + FANOUT + this.count * HASH + i * 4);
      return { oid: this.#name(i), offset, end, crc };
    });
  }

  /** An entry as it stands in the pack; undefined where it is not what it was when the index was made. */
  raw({ offset, end, crc }: PackPlace): Buffer | undefined {
    const bytes = this.#bytes(this.#open(), offset, end - offset);
    return crc32(bytes) === crc ? bytes : undefined;
  }

  /** Throws `GIT_FILE_TOO_LARGE` where the object is larger than `largest`, in bytes; it is not inflated then. */
  read(offset: number, largest: number): Packed {
    const descriptor = this.#open();
    // One read brings the header, and with it most objects whole.
    let chunk = this.#bytes(descriptor, offset, 4096);
    const { length, size, kind } = readEntryHeader(chunk, 0);
    if (size > LARGEST_OBJECT) throw new RangeError(`an entry of ${size} bytes`);
    if ('type' in kind && size > largest) throw tooLarge(size, largest);
    const bound = length + deflatedBound(size);
    if (bound > chunk.length) chunk = this.#bytes(descriptor, offset, bound);
    const { inflated: bytes } = inflateEntry(chunk.subarray(length), size);
    if ('type' in kind) return { type: kind.type, bytes };
    const { result } = deltaSizes(bytes);
    if (result > largest) throw tooLarge(result, largest);
    if ('base' in kind) return { type: 'delta', base: { oid: kind.base }, bytes };
    if (kind.back > offset) throw new RangeError('a delta against nothing');
    return { type: 'delta', base: { offset: offset - kind.back }, bytes };
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor === undefined) {
      this.#descriptor = openSync(this.file, 'r');
      this.#size = fstatSync(this.#descriptor).size;
    }
    return this.#descriptor;
  }

  #bytes(descriptor: number, offset: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#size - offset)));
    const read = readSync(descriptor, buffer, 0, buffer.length, offset);
    return buffer.subarray(0, read);
  }

  #fanout(byte: number): number {
    return this.#index.readUInt32BE(INDEX_HEAD + byte * 4);
  }

  #name(i: number): string {
    const at = INDEX_HEAD + FANOUT + i * HASH;
    return this.#index.toString('hex', at, at + HASH);
  }

  #offset(i: number): number {
    const offsets = INDEX_HEAD + FANOUT + this.count * (HASH + 4);
    const offset = this.#index.readUInt32BE(offsets + i * 4);
    if (offset < 0x80000000) return offset;
    return Number(this.#index.readBigUInt64BE(offsets + this.count * 4 + (offset - 0x80000000) * 8));
  }
}

/** In bytes, both. */
export function tooLarge(size: number, largest: number): CofferError {
  return new CofferError('GIT_FILE_TOO_LARGE', `a file of ${size} bytes is not read: ${largest} are the most`, {
    advice: 'Split it into several files, or move it out of the folders that coffer reads.',
  });
}

/** Returns how many objects an index has; it may be half written, by a fetch that was killed. */
function checkIndex(index: Buffer): number {
  const least = INDEX_HEAD + FANOUT + 2 * HASH;
  if (index.length < least || index.readUInt32BE(0) !== 0xff744f63 || index.readUInt32BE(4) !== 2) {
    throw new RangeError('no version 2 pack index');
  }
  const body = index.subarray(0, index.length - HASH);
  if (!createHash('sha1').update(body).digest().equals(index.subarray(-HASH)))
    throw new RangeError('a torn pack index');
  const count = index.readUInt32BE(INDEX_HEAD + 255 * 4);
  if (index.length < least + count * (HASH + 8)) throw new RangeError('a short pack index');
  for (let byte = 0, before = 0; byte < 256; byte++) {
    const upTo = index.readUInt32BE(INDEX_HEAD + byte * 4);
    if (upTo < before) throw new RangeError('a pack index that counts backwards');
    before = upTo;
  }
  return count;
}
