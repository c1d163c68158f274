import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { malformedPack, tooLargePack } from './faults.ts';

export const PACK_HEADER = 12;
export const PACK_TRAILER = 20;
/** Shorter than this no entry can be: a byte of header and the zlib stream of nothing. */
const SHORTEST_ENTRY = 9;
/** So much is gathered before it is written. */
const BATCH = 1 << 20;

export interface Received {
  /** Of entries, as the header says. */
  count: number;
  /** Of the file. */
  bytes: number;
  trailer: Buffer;
}

/**
 * Writes a pack as it comes into a new file, and checks its header and the hash that ends it (git's pack-format page). Throws
 * `PACK_MALFORMED`, `PACK_TOO_LARGE`, and whatever the stream or the disk throws.
 */
export async function receivePack(
  stream: AsyncIterable<Uint8Array>,
  file: string,
  limits: { bytes: number; objects: number },
): Promise<Received> {
  const handle = await open(file, 'wx', 0o600);
  try {
    const batch = new Batch(handle);
    let bytes = 0;
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes > limits.bytes) throw tooLargePack(`more than ${limits.bytes} bytes`);
      await batch.add(chunk);
      if (batch.head.length === PACK_HEADER) checkHeader(batch.head, limits.objects);
    }
    if (bytes < PACK_HEADER + PACK_TRAILER) throw malformedPack('it ends before its first object');
    const count = checkHeader(batch.head, limits.objects);
    if (count * SHORTEST_ENTRY > bytes) throw malformedPack('it announces more objects than it can hold');
    const { digest, trailer } = await batch.end();
    if (!digest.equals(trailer)) throw malformedPack('it does not end in its own hash');
    return { count, bytes, trailer };
  } finally {
    await handle.close();
  }
}

function checkHeader(head: Buffer, most: number): number {
  const version = head.readUInt32BE(4);
  if (head.toString('latin1', 0, 4) !== 'PACK') throw malformedPack('it does not begin as a pack does');
  // Version 3 is the same to a reader (pack-format page); git writes 2.
  if (version !== 2 && version !== 3) throw malformedPack(`it is of version ${version}`);
  const count = head.readUInt32BE(8);
  if (count > most) throw tooLargePack(`${count} objects`);
  return count;
}

/** What waits to be written. The last 20 bytes are the hash of the others, and nobody knows yet which are the last. */
class Batch {
  head = Buffer.alloc(0);
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha1');
  #parts: Uint8Array[] = [];
  #waiting = 0;
  #last = Buffer.alloc(0);

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async add(chunk: Uint8Array): Promise<void> {
    if (this.head.length < PACK_HEADER) {
      this.head = Buffer.concat([this.head, chunk.subarray(0, PACK_HEADER - this.head.length)]);
    }
    this.#parts.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting >= BATCH) await this.#write();
  }

  async end(): Promise<{ digest: Buffer; trailer: Buffer }> {
    await this.#write();
    return { digest: this.#hash.digest(), trailer: this.#last };
  }

  async #write(): Promise<void> {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#waiting = 0;
    if (bytes.length >= PACK_TRAILER) {
      this.#hash.update(this.#last).update(bytes.subarray(0, -PACK_TRAILER));
      this.#last = Buffer.from(bytes.subarray(-PACK_TRAILER));
    } else {
      const held = Buffer.concat([this.#last, bytes]);
      const end = Math.max(0, held.length - PACK_TRAILER);
      this.#hash.update(held.subarray(0, end));
      this.#last = Buffer.from(held.subarray(end));
    }
    await this.#handle.writeFile(bytes);
  }
}
