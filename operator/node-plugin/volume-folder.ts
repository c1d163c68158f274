import { randomBytes } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { fromSystemError } from '../../core/files/system-error.ts';
import { OldSets } from '../project/folder/old-sets.ts';
import { Anchor, type Holder, systemCode } from '../project/folder/open-folder.ts';
import { type EntrySet, MARK, removeSet, replaceEntries } from '../project/folder/secret-folder.ts';
import { jsonObject } from '../volumes/protocol.ts';
import { bindMount, mountTmpfs, ourMounts, setAccess, unmount } from './mounts.ts';

/** Milliseconds that a replaced set stays, for readers that were just looking a file up in it. */
const GRACE = 200;

export interface FolderOptions {
  /** A folder for mounts that last a moment; not seen by kubelet or pods. */
  privateDirectory: string;
  /** Bytes. During an update both sets are there. */
  size: number;
}

/**
 * A volume's tmpfs. At its target, where the pod's containers get it from, it is mounted read-only, as kubelet mounts Secrets: a
 * container that runs as root could write otherwise. What is written goes through a descriptor of the same file system from a second
 * mount, which was writable and is detached at once: nothing else leads there.
 */
export class VolumeFolder {
  readonly #folder: Anchor;
  readonly #oldSets = new OldSets(GRACE);

  private constructor(folder: Anchor) {
    this.#folder = folder;
  }

  /** A new one, empty and nowhere to be seen yet; `publish` shows it, filled by then. */
  static async create(
    { privateDirectory, size }: FolderOptions,
    fill: (folder: VolumeFolder) => void,
    target: string,
  ): Promise<VolumeFolder> {
    return await atPrivatePath(privateDirectory, async (path) => {
      await mountTmpfs(path, size);
      const folder = new VolumeFolder(Anchor.open(path));
      try {
        fill(folder);
        await mkdir(target, { recursive: true, mode: 0o750 });
        await bindMount(path, target, 'ro');
        return folder;
      } catch (error) {
        folder.close();
        await removeTarget(target);
        throw error;
      }
    });
  }

  /** The one that an earlier process published. */
  static async open(
    { privateDirectory }: Pick<FolderOptions, 'privateDirectory'>,
    target: string,
  ): Promise<VolumeFolder> {
    return await atPrivatePath(privateDirectory, async (path) => {
      await bindMount(target, path, 'rw');
      const folder = new VolumeFolder(Anchor.open(path));
      // That process may have ended between mounting it there and making it read-only.
      await setAccess(target, 'ro');
      return folder;
    });
  }

  /**
   * Shows other entries, all at once; those that are not among them are gone. `version` is remembered in the file system itself, after
   * the entries. Throws CofferError `VOLUME_FULL`; then what was there stays.
   */
  write(entries: EntrySet, version: string, holder: Holder): void {
    try {
      const old = replaceEntries(this.#folder, entries, { holder, durable: false });
      if (old !== undefined) this.#oldSets.add(() => this.#ifPossible(() => removeSet(this.#folder, old)));
    } catch (error) {
      throw systemCode(error) === 'ENOSPC' ? full(error) : (fromSystemError(error) ?? error);
    }
    this.#folder.remove(MARK);
    this.#ifPossible(() => this.#folder.writeFile(MARK, Buffer.from(JSON.stringify({ version })), 0o400));
  }

  /** Of what is there, as an earlier process wrote it down; undefined where nothing is, or perhaps something older. */
  get version(): string | undefined {
    if (this.#folder.lstat(MARK) === undefined) return undefined;
    const descriptor = this.#folder.openFile(MARK);
    try {
      const { version } = jsonObject(readFileSync(descriptor)) ?? {};
      return typeof version === 'string' ? version : undefined;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Takes all files away, also from whoever has the file system mounted elsewhere. */
  empty(): void {
    this.#oldSets.close();
    this.#folder.removeAllBut(() => false);
  }

  /** What is published stays. */
  close(): void {
    this.#oldSets.close();
    this.#folder.close();
  }

  /** For what a full file system may refuse without harm: an old set goes at the next update, a version is asked for again. */
  #ifPossible(attempt: () => void): void {
    try {
      attempt();
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }
}

/** Unmounts what is ours there and removes the folder; what is not there is no error. */
export async function removeTarget(target: string): Promise<void> {
  for (const { path } of await ourMounts(target)) await unmount(path);
  try {
    await rmdir(target);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** A mount point that is gone afterwards, with whatever was mounted there. */
async function atPrivatePath<Result>(directory: string, work: (path: string) => Promise<Result>): Promise<Result> {
  const path = join(directory, randomBytes(8).toString('hex'));
  await mkdir(path, { recursive: true, mode: 0o700 });
  try {
    return await work(path);
  } finally {
    for (const mount of await ourMounts(path)) await unmount(mount.path, true);
    await rmdir(path);
  }
}

function full(cause: unknown): CofferError {
  return new CofferError('VOLUME_FULL', "The secret's entries do not fit into the volume; what was there stays.", {
    advice:
      'Make the secret smaller, or give the node plugin a larger --size: both the old and the new set have to fit.',
    loop: 'retry',
    cause,
  });
}
