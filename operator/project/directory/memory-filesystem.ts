import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { CofferError } from '../../../core/errors.ts';
import { systemCode } from '../folder/open-folder.ts';

/** statfs(2) `f_type` of the file systems that keep files in memory alone (tmpfs may still be swapped out). */
const IN_MEMORY = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

/** The type of the file system that holds `path`, or would: that of the nearest folder which exists. */
export function isInMemory(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    try {
      return IN_MEMORY.has(statfsSync(at).type);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || at === dirname(at)) throw error;
    }
  }
}

/** Throws CofferError `PROJECTION_ON_DISK`. */
export function requireMemory(path: string, named: string): void {
  if (isInMemory(path)) return;
  throw new CofferError('PROJECTION_ON_DISK', `${named} is not on tmpfs or ramfs, so plaintext would reach a disk.`, {
    advice: 'Choose a path on tmpfs (under /run or /dev/shm), or set allowDisk: true if a disk is what you want.',
    data: { path: named },
    loop: 'stop',
  });
}
