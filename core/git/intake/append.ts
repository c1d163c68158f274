import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { ObjectStore } from '../object-store.ts';
import { packedEntry } from '../pack-entry.ts';
import type { Ledger } from './ledger.ts';

const COUNT_AT = 8;

/**
 * Writes objects behind the last entry of a pack that ends at `end`, then its new count and hash: a pack needs no other to be
 * read (as `git index-pack --fix-thin`).
 */
export function appendObjects(
  file: string,
  end: number,
  ledger: Ledger,
  numbers: readonly number[],
  bases: ObjectStore,
): { trailer: Buffer; bytes: number } {
  const descriptor = openSync(file, 'r+');
  try {
    let at = end;
    const write = (bytes: Buffer, position: number): void => {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
      }
    };
    for (const number of numbers) {
      const { type, bytes } = bases.read(ledger.oid(number));
      const entry = packedEntry(type, bytes);
      write(entry, at);
      ledger.offsets[number] = at;
      ledger.crcs[number] = crc32(entry);
      at += entry.length;
    }
    const count = Buffer.alloc(4);
    count.writeUInt32BE(ledger.count);
    write(count, COUNT_AT);
    const trailer = hashUntil(descriptor, at);
    write(trailer, at);
    return { trailer, bytes: at + trailer.length };
  } finally {
    closeSync(descriptor);
  }
}

function hashUntil(descriptor: number, end: number): Buffer {
  const hash = createHash('sha1');
  const buffer = Buffer.allocUnsafe(1 << 20);
  for (let at = 0; at < end; ) {
    const read = readSync(descriptor, buffer, 0, Math.min(buffer.length, end - at), at);
    if (read === 0) throw new RangeError('a file that ends early');
    hash.update(buffer.subarray(0, read));
    at += read;
  }
  return hash.digest();
}
