import { open } from 'node:fs/promises';
import { isSystemError, throwRefusal } from './system-error.ts';

/**
 * A file's bytes; undefined: there is no such file. `tooLarge` makes what is thrown for one of more than `limit` bytes, of which no
 * more are read: a device or a pipe has no size, and no end. Throws CofferError for what else the system says.
 */
export async function readUpTo(path: string, limit: number, tooLarge: () => Error): Promise<Buffer | undefined> {
  const handle = await openIfThere(path);
  if (handle === undefined) return undefined;
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of handle.createReadStream({ end: limit, autoClose: false, highWaterMark: 1024 * 1024 })) {
      chunks.push(chunk);
      length += chunk.length;
    }
    if (length > limit) throw tooLarge();
    return Buffer.concat(chunks, length);
  } catch (error) {
    throwRefusal(error);
  } finally {
    await handle.close();
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throwRefusal(error);
  }
}
