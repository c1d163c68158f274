import { createHash, type Hash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { GitObject } from './delta-chains.ts';
import { packedEntry } from './pack-entry.ts';
import { type IndexColumns, packIndex } from './pack-index.ts';

/** After so many bytes the event loop gets its turn. */
const TURN = 1 << 20;

/**
 * Writes objects, whole and in the order given, into a new pack with its index (git's pack-format page, version 2), both on
 * disk when it resolves. The index comes last and under its final name at once: a reader sees the whole pack or none.
 * Returns the path without extension.
 *
 * isomorphic-git's packObjects reads from one git directory without its alternates and holds the pack in memory, and its
 * indexPack leaves out, without a word, what it cannot decode, and writes the index in place, where a kill tears it.
 */
export async function writePack(
  folder: string,
  oids: readonly string[],
  read: (oid: string) => GitObject,
): Promise<string> {
  const whole = (oid: string): PackedObject => ({
    oid,
    entry: () => {
      const { type, bytes } = read(oid);
      return packedEntry(type, bytes);
    },
  });
  return writeEntries(folder, oids.length, oids.map(whole));
}

export interface PackedObject {
  oid: string;
  /** The entry as it shall stand `at` this offset of the pack. */
  entry(at: number): Buffer;
}

/** As writePack, of entries that are made already. */
export async function writeEntries(folder: string, count: number, objects: Iterable<PackedObject>): Promise<string> {
  const temporary = join(folder, `tmp-${randomBytes(8).toString('hex')}`);
  try {
    const { trailer, rows } = await writeObjects(`${temporary}.pack`, count, objects);
    await writeFile(`${temporary}.idx`, indexOf(rows, trailer), { flag: 'wx', flush: true });
    const final = join(folder, `pack-${trailer.toString('hex')}`);
    await rename(`${temporary}.pack`, `${final}.pack`);
    await rename(`${temporary}.idx`, `${final}.idx`);
    return final;
  } catch (error) {
    await Promise.allSettled([unlink(`${temporary}.pack`), unlink(`${temporary}.idx`)]);
    throw error;
  }
}

interface Row {
  oid: Buffer;
  offset: number;
  crc: number;
}

async function writeObjects(
  file: string,
  count: number,
  objects: Iterable<PackedObject>,
): Promise<{ trailer: Buffer; rows: Row[] }> {
  const handle = await open(file, 'wx');
  try {
    const sink = new Sink(handle);
    const rows: Row[] = [];
    const head = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1');
    head.writeUInt32BE(count, 8);
    sink.push(head);
    for (const object of objects) {
      const entry = object.entry(sink.length);
      rows.push({ oid: Buffer.from(object.oid, 'hex'), offset: sink.length, crc: crc32(entry) });
      sink.push(entry);
      if (sink.waiting > TURN) {
        await sink.flush();
        await setImmediate();
      }
    }
    const trailer = sink.digest();
    await sink.flush();
    await handle.sync();
    return { trailer, rows };
  } finally {
    await handle.close();
  }
}

/** Gathers what goes to the file and hashes it. */
class Sink {
  length = 0;
  waiting = 0;
  readonly #handle: FileHandle;
  readonly #hash: Hash = createHash('sha1');
  #parts: Buffer[] = [];

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  push(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#add(bytes);
  }

  /** Appends the hash of all that was pushed. */
  digest(): Buffer {
    const trailer = this.#hash.digest();
    this.#add(trailer);
    return trailer;
  }

  async flush(): Promise<void> {
    await this.#handle.writeFile(Buffer.concat(this.#parts));
    this.#parts = [];
    this.waiting = 0;
  }

  #add(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.length += bytes.length;
    this.waiting += bytes.length;
  }
}

function indexOf(rows: readonly Row[], trailer: Buffer): Buffer {
  const columns: IndexColumns = {
    count: rows.length,
    oids: Buffer.concat(rows.map(({ oid }) => oid)),
    offsets: Float64Array.from(rows, ({ offset }) => offset),
    crcs: Uint32Array.from(rows, ({ crc }) => crc),
  };
  return packIndex(columns, trailer);
}
