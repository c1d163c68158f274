import type { FileHandle } from 'node:fs/promises';

/** Writes all of it: a disk that fills up takes a part without an error, and the next write says what is wrong. */
export async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
