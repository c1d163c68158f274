import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { flush } from '../../files/atomic.ts';
import { writeAt } from '../../files/write-at.ts';
import { damaged, removed } from './errors.ts';

/** Of a log: JSON lines of what is not yet in full tiles, and some of what is. Mode 0600. */
export const JOURNAL = 'journal';
const NEXT = '.journal.tmp';

/** The file that a promise of `append` rests on. One writer, one call at a time. */
export class Journal {
  readonly path: string;
  readonly #directory: string;
  #handle: FileHandle;
  /** Bytes that are whole and flushed. */
  #size: number;
  /** Whether it is on disk that this file is the journal. */
  #isNamed = true;

  private constructor(directory: string, handle: FileHandle, size: number) {
    this.path = join(directory, JOURNAL);
    this.#directory = directory;
    this.#handle = handle;
    this.#size = size;
  }

  /** `size`: what counts of it, in bytes; the rest is cut off. Rejects with the system's error. */
  static async open(directory: string, size: number): Promise<Journal> {
    const handle = await open(join(directory, JOURNAL), 'r+');
    try {
      await handle.chmod(0o600);
      if ((await handle.stat()).size > size) await handle.truncate(size);
      await handle.datasync();
      return new Journal(directory, handle, size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Makes an empty one, unless it is there and empty. Throws CofferError `AUDIT_DAMAGED`; rejects with the system's error. */
  static async make(directory: string): Promise<void> {
    const handle = await open(join(directory, JOURNAL), 'a', 0o600);
    try {
      if ((await handle.stat()).size > 0) throw damaged(directory, 'it has records and no name');
    } finally {
      await handle.close();
    }
  }

  get size(): number {
    return this.#size;
  }

  /**
   * On disk when it resolves. Otherwise none of it counts: it is cut off, at once where that can be, and before anything else is
   * written. (After a failed fsync a kernel may hold the pages for clean and write them never, so they are written anew and not
   * flushed again.)
   */
  async append(bytes: Buffer): Promise<void> {
    const { nlink, size } = await this.#handle.stat();
    if (nlink === 0 || size < this.#size) throw removed(this.path);
    if (size > this.#size) await this.#handle.truncate(this.#size);
    if (!this.#isNamed) await this.#flushName();
    try {
      await writeAt(this.#handle, bytes, this.#size);
      await this.#handle.datasync();
    } catch (error) {
      // A full disk has that room again, and nobody reads there what was refused.
      await this.#handle.truncate(this.#size);
      throw error;
    }
    this.#size += bytes.length;
  }

  /** Holds these bytes instead, when it resolves; a kill leaves the one or the other. */
  async replace(bytes: Buffer): Promise<void> {
    const next = join(this.#directory, NEXT);
    const handle = await open(next, 'w+', 0o600);
    try {
      await writeAt(handle, bytes, 0);
      await handle.sync();
      await rename(next, this.path);
    } catch (error) {
      await handle.close();
      throw error;
    }
    const former = this.#handle;
    [this.#handle, this.#size] = [handle, bytes.length];
    this.#isNamed = false;
    await former.close();
    await this.#flushName();
  }

  /** Until then a power cut may bring the former file back, without what was appended since. */
  async #flushName(): Promise<void> {
    await flush(this.#directory);
    this.#isNamed = true;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
