import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { withCleanup } from '../signals.ts';

/** Types that statfs(2) gives for file systems that live in memory. */
const MEMORY_TYPES = new Set([0x0102_1994 /* tmpfs */, 0x8584_58f6 /* ramfs */]);

/**
 * Runs `work` with a new folder, mode 0700, on a file system in memory, and removes the folder with all that is in it:
 * when `work` ends or fails, and when a signal ends the process. Throws EDIT_NO_MEMORY where there is none, unless
 * `allowDisk`. (What is in memory may still be swapped to a disk.)
 */
export async function inPrivateFolder<Result>(
  options: { allowDisk: boolean },
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const base = memoryFolder(process.env) ?? (options.allowDisk ? tmpdir() : undefined);
  if (base === undefined) {
    throw new CofferError('EDIT_NO_MEMORY', 'no folder of this machine is known to be in memory (tmpfs)', {
      advice:
        'Use --allow-disk if plaintext may be on this disk for the time of the edit; it is deleted, not shredded.',
    });
  }
  const folder = mkdtempSync(join(base, 'coffer-edit-'));
  return withCleanup(
    () => rmSync(folder, { recursive: true, force: true }),
    () => work(folder),
  );
}

function memoryFolder(env: NodeJS.ProcessEnv): string | undefined {
  return [env.XDG_RUNTIME_DIR, '/dev/shm', tmpdir()].find((folder) => folder !== undefined && isInMemory(folder));
}

function isInMemory(folder: string): boolean {
  try {
    return MEMORY_TYPES.has(statfsSync(folder).type);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
