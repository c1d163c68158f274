import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { writeAt } from '../../files/write-at.ts';
import type { Turns } from '../../turns.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { packedEntry } from '../packs/pack-entry.ts';
import type { EntryTable } from './entry-table.ts';
import { tooLargePack } from './faults.ts';

const COUNT_AT = 8;
/** So much is hashed at once. */
const PIECE = 1 << 20;

export interface AppendOptions {
  /** Where the last entry ends. */
  end: number;
  /** Of the file, in bytes. */
  most: number;
  bases: ObjectStore;
  turns: Turns;
}

/**
 * Writes objects behind the last entry of a pack, then its new count and hash: a pack needs no other to be read (as
 * `git index-pack --fix-thin`). Throws `PACK_TOO_LARGE`.
 */
export async function appendObjects(
  file: string,
  table: EntryTable,
  numbers: readonly number[],
  { end, most, bases, turns }: AppendOptions,
): Promise<{ trailer: Buffer; bytes: number }> {
  const handle = await open(file, 'r+');
  try {
    let at = end;
    for (const number of numbers) {
      const { type, bytes } = bases.read(table.oid(number));
      const entry = packedEntry(type, bytes);
      if (at + entry.length > most) throw tooLargePack(`more than ${most} bytes with what it left out`);
      await writeAt(handle, entry, at);
      table.offsets[number] = at;
      table.crcs[number] = crc32(entry);
      at += entry.length;
      await turns.next();
    }
    const count = Buffer.alloc(4);
    count.writeUInt32BE(table.count);
    await writeAt(handle, count, COUNT_AT);
    const trailer = await hashUntil(handle, at);
    await writeAt(handle, trailer, at);
    return { trailer, bytes: at + trailer.length };
  } finally {
    await handle.close();
  }
}

async function hashUntil(handle: FileHandle, end: number): Promise<Buffer> {
  const hash = createHash('sha1');
  const buffer = Buffer.allocUnsafe(PIECE);
  for (let at = 0; at < end; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytesRead === 0) throw new RangeError('a file that ends early');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest();
}
