import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AtomicWrite, writeFileAtomically } from './atomic.ts';
import { throwRefusal } from './system-error.ts';

/**
 * As `writeFileAtomically`, also where the folder is not there yet. One that is made has the file's mode, and may be entered by those
 * who may read. Throws CofferError FILE_SYSTEM.
 */
export async function placeFile(path: string, bytes: Uint8Array | string, options: AtomicWrite = {}): Promise<void> {
  const { mode = 0o666 } = options;
  try {
    await mkdir(dirname(path), { recursive: true, mode: mode | ((mode & 0o444) >> 2) });
    await writeFileAtomically(path, bytes, options);
  } catch (error) {
    throwRefusal(error);
  }
}
