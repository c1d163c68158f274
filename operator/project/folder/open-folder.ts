import { randomBytes } from 'node:crypto';
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { Bug, CofferError } from '../../../core/errors.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

type Name = string | Buffer;

/** Deeper than any path that the kernel takes. */
const MOST_NESTED = 4096;

/** Whose a folder is, and how it may be entered. */
export interface FolderHolder {
  uid: number;
  gid: number;
  folderMode: number;
}

/** The same of folders and the files in them. */
export interface Holder extends FolderHolder {
  fileMode: number;
}

/** `code` of a failed system call, undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * An open folder, and the only way to what lies in it: names are resolved from its descriptor (`/proc/self/fd/N/NAME`, the
 * openat that Node lacks) and the last step never follows a symlink. A workload owns its folders and may rename them or
 * plant links at any moment, while the operator, perhaps as root, works there: a path could then lead somewhere else, a
 * descriptor cannot.
 * Calls are synchronous because on tmpfs each takes microseconds, less than a hop to a thread.
 */
export class Anchor {
  readonly descriptor: number;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /** Throws ELOOP or ENOTDIR where the last part of the path is anything but a folder. */
  static open(path: Name): Anchor {
    return new Anchor(openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** Of this folder itself; valid while it is open. */
  get path(): string {
    return `/proc/self/fd/${this.descriptor}`;
  }

  /** The path of a name in this folder. Names that a workload made may be any bytes. */
  at(name: Name): Name {
    const text = name.toString('latin1');
    if (text === '' || text === '.' || text === '..' || /[/\0]/.test(text))
      throw new Bug('a name that leaves its folder');
    return typeof name === 'string' ? `${this.path}/${name}` : Buffer.concat([Buffer.from(`${this.path}/`), name]);
  }

  /** Opens a folder in this one. If our own folder's mode forbids it, the mode is put right first. */
  enter(name: Name): Anchor {
    try {
      return Anchor.open(this.at(name));
    } catch (error) {
      // Root is never refused; without it, only our own user could put a symlink where lstat saw a folder.
      if (systemCode(error) !== 'EACCES' || !this.lstat(name)?.isDirectory()) throw error;
      chmodSync(this.at(name), 0o700);
      return Anchor.open(this.at(name));
    }
  }

  /** Runs `work` in a folder and closes it whatever happens. */
  within<Result>(name: Name, work: (folder: Anchor) => Result): Result {
    const folder = this.enter(name);
    try {
      return work(folder);
    } finally {
      folder.close();
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  stat(): BigIntStats {
    return fstatSync(this.descriptor, { bigint: true });
  }

  /** undefined where there is nothing. */
  lstat(name: Name): BigIntStats | undefined {
    return lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false });
  }

  names(): string[] {
    return readdirSync(this.path);
  }

  makeFolder(name: string, mode: number): void {
    mkdirSync(this.at(name), { mode });
  }

  /** Gives this folder to its holder; the mode is set exactly, whatever the umask. */
  give(holder: FolderHolder): void {
    const { uid, gid, mode } = this.stat();
    const isGiven = Number(uid) === holder.uid && Number(gid) === holder.gid;
    if (!isGiven) fchownSync(this.descriptor, holder.uid, holder.gid);
    if (!isGiven || (Number(mode) & 0o7777) !== holder.folderMode) fchmodSync(this.descriptor, holder.folderMode);
  }

  /** Makes a file that was not there, complete and with its final owner and mode before anybody else can open it. */
  writeFile(
    name: string,
    bytes: Uint8Array,
    mode: number,
    owner?: { uid: number; gid: number },
    durable = false,
  ): void {
    const descriptor = openSync(this.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
      fchmodSync(descriptor, mode);
      if (durable) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** A descriptor for reading what should be a regular file: never follows a link, never waits for a FIFO's other end. */
  openFile(name: string): number {
    return openSync(this.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  /** Makes a symlink; false where something has its name. */
  link(name: string, target: string): boolean {
    try {
      symlinkSync(target, this.at(name));
      return true;
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  /** The target of a symlink; undefined where there is none or something else. */
  targetOf(name: string): string | undefined {
    try {
      return readlinkSync(this.at(name));
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EINVAL') return undefined;
      throw error;
    }
  }

  rename(from: string, to: string): void {
    renameSync(this.at(from), this.at(to));
  }

  /** Removes whatever has this name, with all that is in it; nothing there is no error. Throws as `removeAllBut`. */
  remove(name: Name): void {
    const found = this.lstat(name);
    if (found?.isDirectory()) {
      this.within(name, (folder) => folder.removeAllBut(() => false));
      rmdirSync(this.at(name));
    } else if (found !== undefined) {
      unlinkSync(this.at(name));
    }
  }

  /**
   * Removes everything in this folder whose name is not to be kept. Folders in folders are moved up rather than followed down,
   * so that no depth exhausts the stack or the descriptors. Throws CofferError `PROJECTION_NESTED` where that does not come
   * to an end, because a workload keeps adding folders.
   */
  removeAllBut(isKept: (name: string) => boolean): void {
    for (let round = 0; round < MOST_NESTED; round++) {
      const doomed = this.#bytesOfNames().filter((bytes) => {
        const name = bytes.toString('utf8');
        return !Buffer.from(name, 'utf8').equals(bytes) || !isKept(name);
      });
      if (doomed.length === 0) return;
      for (const name of doomed) this.#removeShallow(name);
    }
    throw nested();
  }

  #removeShallow(name: Name): void {
    if (!this.lstat(name)?.isDirectory()) {
      unlinkSync(this.at(name));
      return;
    }
    this.within(name, (folder) => {
      folder.#unlock();
      for (const child of folder.#bytesOfNames()) {
        if (!folder.lstat(child)?.isDirectory()) {
          unlinkSync(folder.at(child));
          continue;
        }
        folder.within(child, (moved) => moved.#unlock());
        renameSync(folder.at(child), this.at(`..gone-${randomBytes(8).toString('hex')}`));
      }
    });
    rmdirSync(this.at(name));
  }

  /** A folder of our own may lack the bits to change it; root needs none. */
  #unlock(): void {
    if (process.geteuid?.() !== 0) fchmodSync(this.descriptor, 0o700);
  }

  #bytesOfNames(): Buffer[] {
    return readdirSync(this.path, 'buffer');
  }
}

function nested(): CofferError {
  return new CofferError(
    'PROJECTION_NESTED',
    'Somebody keeps adding nested folders to a projection while it is removed.',
    {
      advice: 'Stop the workload that owns them, then remove them by hand.',
      loop: 'retry',
    },
  );
}
