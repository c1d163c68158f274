import { randomFillSync } from 'node:crypto';
import { open, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../files/system-error.ts';
import { isFull } from './errors.ts';

const RESERVE = 'reserve';
const NEXT = '.reserve.tmp';
/** Free beside it before it is taken back, so that the log is not full again at once; as a share of it. */
const SLACK = 1;

/** Room on the log's disk that is given up when the disk is full: for the records that say so. */
export class Reserve {
  readonly #directory: string;
  readonly #bytes: number;
  #isHeld = false;

  constructor(directory: string, bytes: number) {
    this.#directory = directory;
    this.#bytes = bytes;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /**
   * Takes it, unless it is held; false: there is no room for it and as much again. Its bytes are random, since a file system that
   * compresses would give zeros no room. Rejects with what else the system says.
   */
  async take(): Promise<boolean> {
    if (this.#isHeld) return true;
    const path = join(this.#directory, RESERVE);
    try {
      if (!(await hasSize(path, this.#bytes))) {
        const { bavail, bsize } = await statfs(this.#directory);
        if (bavail * bsize < this.#bytes * (1 + SLACK)) return false;
        await this.#make(path);
      }
      this.#isHeld = true;
    } catch (error) {
      if (!isFull(error)) throw error;
    }
    return this.#isHeld;
  }

  async giveUp(): Promise<void> {
    await rm(join(this.#directory, RESERVE), { force: true });
    this.#isHeld = false;
  }

  async #make(path: string): Promise<void> {
    const next = join(this.#directory, NEXT);
    const handle = await open(next, 'w', 0o600);
    try {
      await handle.writeFile(randomFillSync(Buffer.alloc(this.#bytes)));
      await handle.sync();
    } catch (error) {
      await rm(next, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    await rename(next, path);
  }
}

async function hasSize(path: string, bytes: number): Promise<boolean> {
  try {
    return (await stat(path)).size >= bytes;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
