import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { deflatedBound, type EntryHeader, inflateEntry, LONGEST_HEADER, readEntryHeader } from '../packs/pack-entry.ts';
import { malformedPack, tooLargePack } from './faults.ts';

/** So much is read at once where the entries are read one after the other. */
const WINDOW = 1 << 20;
/** And where one is read by itself: it brings the header, and with it most deltas whole. */
const GLIMPSE = 4096;

export interface Entry {
  kind: EntryHeader['kind'];
  /** An object, or a delta. */
  bytes: Buffer;
  /** Where the next one begins. */
  end: number;
}

/** The entries of a pack that was written to disk and has no index yet. */
export class PackFile {
  readonly #descriptor: number;
  /** Where the entries end. */
  readonly #end: number;
  readonly #objectBytes: number;
  readonly #window = Buffer.allocUnsafeSlow(WINDOW);
  #from = 0;
  #filled = 0;

  /** `objectBytes`: the largest object or delta that is inflated. */
  constructor(file: string, end: number, objectBytes: number) {
    this.#descriptor = openSync(file, 'r');
    this.#end = end;
    this.#objectBytes = objectBytes;
  }

  /** The entry there, and what comes after it is read ahead. Throws `PACK_MALFORMED`, `PACK_TOO_LARGE`. */
  readNext(offset: number): Entry {
    return this.#entry(offset, (from, length) => this.#ahead(from, length));
  }

  /** An entry that was read before. */
  readAgain(offset: number): Entry {
    const glimpse = this.#direct(offset, GLIMPSE);
    const bytes = (from: number, length: number): Buffer => {
      const at = from - offset;
      const isAll = at + Math.min(length, this.#end - from) <= glimpse.length;
      return isAll ? glimpse.subarray(at, at + length) : this.#direct(from, length);
    };
    return this.#entry(offset, bytes);
  }

  #entry(offset: number, bytes: (from: number, length: number) => Buffer): Entry {
    try {
      const header = readEntryHeader(bytes(offset, LONGEST_HEADER), 0);
      if (header.size > this.#objectBytes) throw tooLargePack(`an object of ${header.size} bytes`);
      const from = offset + header.length;
      const { inflated, read } = inflateEntry(bytes(from, deflatedBound(header.size)), header.size);
      return { kind: header.kind, bytes: inflated, end: from + read };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw malformedPack(`${error.message}, at byte ${offset}`, error);
    }
  }

  crc(from: number, to: number): number {
    return crc32(this.#ahead(from, to - from));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** As many as there are; good until the next call. */
  #ahead(offset: number, length: number): Buffer {
    const wanted = Math.min(length, this.#end - offset);
    if (wanted > WINDOW) return this.#direct(offset, wanted);
    if (offset < this.#from || offset + wanted > this.#from + this.#filled) {
      this.#filled = readSync(
        this.#descriptor,
        this.#window,
        0,
        Math.min(WINDOW, Math.max(0, this.#end - offset)),
        offset,
      );
      this.#from = offset;
    }
    const at = offset - this.#from;
    return this.#whole(this.#window.subarray(at, Math.min(at + wanted, this.#filled)), wanted);
  }

  #direct(offset: number, length: number): Buffer {
    const wanted = Math.min(length, this.#end - offset);
    const bytes = Buffer.allocUnsafe(Math.max(0, wanted));
    const read = readSync(this.#descriptor, bytes, 0, bytes.length, offset);
    return this.#whole(bytes.subarray(0, read), wanted);
  }

  #whole(bytes: Buffer, wanted: number): Buffer {
    if (wanted <= 0 || bytes.length < wanted) throw new RangeError('an object that ends early');
    return bytes;
  }
}
