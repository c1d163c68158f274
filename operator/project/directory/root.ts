import { lstatSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CofferError } from '../../../core/errors.ts';
import { type Lock, lockDirectory } from '../../../core/files/lock.ts';
import { Anchor, systemCode } from '../folder/open-folder.ts';
import { notOurs, projectionFailure } from './failure.ts';
import { markBytes, readRootMark } from './mark.ts';
import { isInMemory, requireMemory } from './memory-filesystem.ts';

export interface ProjectionRoot {
  path: string;
  folder: Anchor;
  lock: Lock;
  /** Whether the file system is on a disk (allowed by the configuration). */
  onDisk: boolean;
}

export interface RootOptions {
  cluster: string;
  allowDisk: boolean;
}

const MARK = '.coffer';
const LOCK = '.lock';

/** Where to project when the configuration does not say. */
export function defaultPath(environment: NodeJS.ProcessEnv): string {
  const runtime = environment.XDG_RUNTIME_DIR;
  return runtime ? join(runtime, 'coffer') : `/dev/shm/coffer-${process.geteuid?.() ?? 0}`;
}

/**
 * Opens the top folder of a projection, or makes it. Throws CofferError: `PROJECTION_ON_DISK`; `PROJECTION_NOT_OURS` for a
 * symlink, a folder that others can write to, one with contents but without our mark, or another cluster's;
 * `DIRECTORY_IN_USE` while another operator works there.
 */
export function openRoot(path: string, { cluster, allowDisk }: RootOptions): ProjectionRoot {
  try {
    if (!allowDisk) requireMemory(path, path);
    const folder = openOrMake(path);
    try {
      refuseStrangers(folder, path);
      if (!allowDisk) requireMemory(`${folder.path}/.`, path);
      const lock = lockDirectory(path, LOCK, 'the projection');
      try {
        takeUp(folder, path, cluster);
        return { path, folder, lock, onDisk: !isInMemory(`${folder.path}/.`) };
      } catch (error) {
        lock.release();
        throw error;
      }
    } catch (error) {
      folder.close();
      throw error;
    }
  } catch (error) {
    throw projectionFailure(error, { path });
  }
}

function openOrMake(path: string): Anchor {
  mkdirSync(dirname(path), { recursive: true });
  // Workloads must pass through, without seeing who else is here; without privileges the only workloads are our own user's.
  const mode = process.geteuid?.() === 0 ? 0o711 : 0o700;
  const isNew = lstatSync(path, { throwIfNoEntry: false }) === undefined;
  if (isNew) mkdirSync(path, { mode });
  try {
    const folder = Anchor.open(path);
    if (isNew) folder.give({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, folderMode: mode });
    return folder;
  } catch (error) {
    if (!['ELOOP', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    throw notOurs(`${path} is not a folder.`, { path });
  }
}

function refuseStrangers(folder: Anchor, path: string): void {
  const { uid, mode } = folder.stat();
  if (Number(uid) !== process.geteuid?.()) throw notOurs(`${path} belongs to another user.`, { path });
  if ((mode & 0o022n) !== 0n) throw notOurs(`${path} can be written to by other users.`, { path });
  const names = folder.names().filter((name) => name !== LOCK);
  if (names.length > 0 && readRootMark(folder, MARK) === undefined) {
    throw notOurs(`${path} has contents, and no mark that says a coffer operator made them.`, { path });
  }
}

function takeUp(folder: Anchor, path: string, cluster: string): void {
  const mark = readRootMark(folder, MARK);
  if (mark === undefined) {
    folder.writeFile(MARK, markBytes({ coffer: 'projection', cluster }), 0o444);
  } else if (mark.cluster !== cluster) {
    throw new CofferError('PROJECTION_NOT_OURS', `${path} was projected by the operator of cluster ${mark.cluster}.`, {
      advice: `Give the operator of ${cluster} a path of its own, or remove the folder if that cluster is gone from here.`,
      data: { path },
      loop: 'stop',
    });
  }
}
