import { unlinkSync } from 'node:fs';
import { type FileHandle, lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isSystemError } from './system-error.ts';

export interface AtomicWrite {
  /** Permission bits of the new file; absent: those of the file that is replaced, else 0666 less the umask. */
  mode?: number;
  /** Whose the new file is: as it was (what root edits stays its owner's), or this process's. */
  owner?: 'kept' | 'mine';
}

/** Files that were begun and not yet moved into place, so that whoever handles signals can remove them. */
export const pending = new Set<string>();

/**
 * Replaces `path` by `bytes`, or leaves it as it was: a reader, and a crash at any point, sees the old file or the new
 * one. A symbolic link is followed, so that what it points at is replaced and the link stays. On return the bytes and
 * the name are on disk. Rejects with the system's error (ENOSPC, EROFS, EACCES …), leaving nothing behind.
 */
export async function writeFileAtomically(
  path: string,
  bytes: Uint8Array | string,
  options: AtomicWrite = {},
): Promise<void> {
  const target = await followLink(path);
  const before = await statIfThere(target);
  const temporary = join(dirname(target), temporaryName(basename(target)));
  pending.add(temporary);
  try {
    const mode = options.mode ?? (before === undefined ? undefined : before.mode & 0o7777);
    await fill(temporary, bytes, mode, options.owner === 'mine' ? undefined : before);
    await rename(temporary, target);
  } catch (error) {
    await removeIfThere(temporary);
    throw error;
  } finally {
    pending.delete(temporary);
  }
  await flush(dirname(target));
}

/** Unlikely to be there, and made exclusively. (Not by node:crypto, whose loading costs every start of the CLI 10 ms.) */
export function temporaryName(name: string): string {
  return `.${name.slice(0, 200)}.${Math.random().toString(36).slice(2)}.tmp`;
}

/** Whether a file is what a write left whose process was killed (or one that is not finished). */
export function isTemporaryName(name: string): boolean {
  return /^\..+\.[a-z0-9]+\.tmp$/.test(name);
}

/** The same of a file of this name. */
export function isTemporaryNameOf(file: string, name: string): boolean {
  return isTemporaryName(name) && name.startsWith(`.${file}.`);
}

/** Removes what unfinished writes of this process left; synchronous, for signal handlers. */
export function removePendingFiles(): void {
  for (const path of pending) {
    try {
      unlinkSync(path);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
    }
  }
  pending.clear();
}

async function fill(
  path: string,
  bytes: Uint8Array | string,
  mode: number | undefined,
  before: { uid: number; gid: number } | undefined,
): Promise<void> {
  // Exclusive, and private until it is complete.
  const handle = await open(path, 'wx', mode === undefined ? 0o666 : mode & 0o700);
  try {
    await handle.writeFile(bytes);
    if (before !== undefined) await keepOwner(handle, before);
    if (mode !== undefined) await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Root editing somebody's file leaves it theirs. */
async function keepOwner(handle: FileHandle, before: { uid: number; gid: number }): Promise<void> {
  if (process.getuid?.() === 0) await handle.chown(before.uid, before.gid);
}

async function followLink(path: string): Promise<string> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await realpath(path) : path;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return path;
    throw error;
  }
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}

/** What was written to a file, or the names in a directory, are on disk when it resolves. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
