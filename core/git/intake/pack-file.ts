import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { deflatedBound, type EntryHeader, inflateEntry, LONGEST_HEADER, readEntryHeader } from '../pack-entry.ts';
import { malformedPack, tooLargePack } from './faults.ts';

/** So much is read at once. */
const WINDOW = 1 << 20;

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
  #window = Buffer.alloc(0);
  #from = 0;

  /** `objectBytes`: the largest object or delta that is inflated. */
  constructor(file: string, end: number, objectBytes: number) {
    this.#descriptor = openSync(file, 'r');
    this.#end = end;
    this.#objectBytes = objectBytes;
  }

  /** Throws `PACK_MALFORMED`, `PACK_TOO_LARGE`. */
  read(offset: number): Entry {
    try {
      const header = readEntryHeader(this.#bytes(offset, LONGEST_HEADER), 0);
      if (header.size > this.#objectBytes) throw tooLargePack(`an object of ${header.size} bytes`);
      const from = offset + header.length;
      const { inflated, read } = inflateEntry(this.#bytes(from, deflatedBound(header.size)), header.size);
      return { kind: header.kind, bytes: inflated, end: from + read };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw malformedPack(`${error.message}, at byte ${offset}`, error);
    }
  }

  crc(from: number, to: number): number {
    return crc32(this.#bytes(from, to - from));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** As many as there are; good until the next call. */
  #bytes(offset: number, length: number): Buffer {
    const wanted = Math.min(length, this.#end - offset);
    if (wanted <= 0) throw new RangeError('an object that ends early');
    const at = offset - this.#from;
    if (at >= 0 && at + wanted <= this.#window.length) return this.#window.subarray(at, at + wanted);
    const size = Math.min(Math.max(wanted, WINDOW), this.#end - offset);
    const window = Buffer.allocUnsafe(size);
    const read = readSync(this.#descriptor, window, 0, size, offset);
    if (read < wanted) throw new RangeError('a file that ends early');
    this.#window = window.subarray(0, read);
    this.#from = offset;
    return this.#window.subarray(0, wanted);
  }
}
