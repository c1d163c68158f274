import fs from 'node:fs';
import { inflateSync } from 'node:zlib';
import { LARGEST_OBJECT } from '../../core/git/object-store.ts';

const PACK_HEADER = 12;
const HASH = 20;

export class LargeObject extends Error {}

/**
 * The file system that isomorphic-git is given for a fetch: before a pack is written, and so before isomorphic-git inflates
 * what is in it without any limit, every object is inflated here as far as it is allowed to go. Throws LargeObject, and other errors where the pack is damaged.
 */
export const guardedFileSystem = {
  ...fs,
  promises: {
    ...fs.promises,
    writeFile: async (path: string, data: Buffer, options: object): Promise<void> => {
      if (path.endsWith('.pack')) refuseLargeObjects(data);
      await fs.promises.writeFile(path, data, options);
    },
  },
};

/** A megabyte of pack can hold a gigabyte of zeros. */
function refuseLargeObjects(pack: Buffer): void {
  let at = PACK_HEADER;
  for (let left = pack.readUInt32BE(8); left > 0; left--) {
    let byte = pack.readUInt8(at++);
    const isDelta = ((byte >> 4) & 7) >= 6;
    const isByName = ((byte >> 4) & 7) === 7;
    let size = byte & 0x0f;
    for (let shift = 4; byte & 0x80; shift += 7) {
      byte = pack.readUInt8(at++);
      size += (byte & 0x7f) * 2 ** shift;
    }
    if (size > LARGEST_OBJECT) throw new LargeObject('an object that is too large');
    if (isByName) at += HASH;
    else if (isDelta) while (pack.readUInt8(at++) & 0x80);
    const { buffer, engine } = inflated(pack.subarray(at), size);
    if (isDelta && resultSize(buffer) > LARGEST_OBJECT) throw new LargeObject('a delta that makes too large an object');
    at += engine.bytesWritten;
  }
}

/** With `info`, zlib also says how much it has read; the types of Node know only of the bytes. */
function inflated(bytes: Buffer, size: number): { buffer: Buffer; engine: { bytesWritten: number } } {
  const options = { maxOutputLength: size + 1, chunkSize: Math.max(64, size + 1), info: true };
  return inflateSync(bytes, options) as unknown as ReturnType<typeof inflated>;
}

/** A delta begins with the sizes of its base and of its result. */
function resultSize(delta: Buffer): number {
  let at = 0;
  let size = 0;
  for (let number = 0; number < 2; number++) {
    size = 0;
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = delta.readUInt8(at++);
      size += (byte & 0x7f) * 2 ** shift;
    }
  }
  return size;
}
