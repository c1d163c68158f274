import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CofferError } from '../../../core/errors.ts';
import { flush } from '../../../core/files/atomic.ts';

export interface JournalOptions<Row> {
  /** Called for each row that is in the file, oldest first. */
  replay(row: Row): void;
  /** The rows that would rebuild what is known now: what the file is replaced by when it has grown. */
  live(): Iterable<Row>;
}

const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants;

/** The file is written anew when it holds this many rows more than it needs. */
const SLACK = 4096;

/**
 * A file of JSON lines that only grows, so that remembering a change costs the size of the change; now and then it is written
 * anew. What `append` was given is on disk when it resolves. A last line that a killed run left torn was never acknowledged
 * and is cut off.
 */
export class Journal<Row> {
  readonly #path: string;
  readonly #options: JournalOptions<Row>;
  #handle: FileHandle;
  #size: number;
  #rows: number;
  /** Behind `#size` the file may hold what a failed append left. */
  #isTorn = false;
  /** The file's name may lead to the one before after a crash of the machine. */
  #isUnnamed = false;

  private constructor(path: string, options: JournalOptions<Row>, handle: FileHandle, size: number, rows: number) {
    this.#path = path;
    this.#options = options;
    this.#handle = handle;
    this.#size = size;
    this.#rows = rows;
  }

  /** Throws `STATE_DAMAGED`, `STATE_UNWRITABLE`. */
  static async open<Row>(path: string, options: JournalOptions<Row>): Promise<Journal<Row>> {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const handle = await open(path, 'a', 0o600);
      try {
        return await Journal.#recover(path, handle, options);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw error instanceof CofferError ? error : unwritable(path, error);
    }
  }

  static async #recover<Row>(path: string, handle: FileHandle, options: JournalOptions<Row>): Promise<Journal<Row>> {
    const bytes = await readFile(path);
    const size = bytes.lastIndexOf(0x0a) + 1;
    if (size < bytes.length) await handle.truncate(size);
    await flush(dirname(path));
    const lines = bytes.toString('utf8', 0, size).split('\n').slice(0, -1);
    for (const [i, line] of lines.entries()) options.replay(parse<Row>(line, path, i + 1));
    return new Journal(path, options, handle, size, lines.length);
  }

  /** Throws `STATE_UNWRITABLE`; then the rows do not count, and the next call cuts off what is there of them. */
  async append(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const bytes = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    try {
      if (this.#isUnnamed) await flush(dirname(this.#path));
      this.#isUnnamed = false;
      // A full disk may have taken a part of the rows; without this the next row would continue that part's last line.
      if (this.#isTorn) await this.#handle.truncate(this.#size);
      this.#isTorn = true;
      await this.#handle.appendFile(bytes);
      await this.#handle.datasync();
      this.#isTorn = false;
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    this.#size += bytes.length;
    this.#rows += rows.length;
  }

  /**
   * To be called when what was appended has been taken over into what `live` gives. Where the file cannot be written anew it
   * stays as it is, with all that was appended, and the next call tries again.
   */
  async compact(liveRows: number): Promise<void> {
    if (this.#rows <= 2 * liveRows + SLACK) return;
    const lines = Array.from(this.#options.live(), (row) => `${JSON.stringify(row)}\n`);
    const bytes = Buffer.from(lines.join(''));
    const next = await this.#replace(bytes);
    if (next === undefined) return;
    const old = this.#handle;
    this.#handle = next;
    this.#size = bytes.length;
    this.#rows = lines.length;
    this.#isTorn = false;
    this.#isUnnamed = true;
    await old.close();
  }

  /** Puts a file of these bytes in the place of the one that is there; `undefined` where the system refuses. */
  async #replace(bytes: Buffer): Promise<FileHandle | undefined> {
    const temporary = `${this.#path}.new`;
    let next: FileHandle | undefined;
    try {
      next = await open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600);
      await next.appendFile(bytes);
      await next.datasync();
      await rename(temporary, this.#path);
      return next;
    } catch (error) {
      await next?.close();
      if (error instanceof Error && 'syscall' in error) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function parse<Row>(line: string, path: string, number: number): Row {
  try {
    return JSON.parse(line) as Row;
  } catch (cause) {
    throw new CofferError('STATE_DAMAGED', 'the operator’s state holds a line that is not JSON', {
      advice: 'Restore the file from a backup, or move it away: then everything that is projected is claimed anew.',
      data: { file: path, line: number },
      loop: 'stop',
      cause,
    });
  }
}

function unwritable(path: string, cause: unknown): CofferError {
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new CofferError('STATE_UNWRITABLE', `the operator’s state ${path} cannot be written${code}`, {
    advice: 'Free space on that disk and check its permissions; until then nothing changes.',
    data: { path },
    loop: 'retry',
    cause,
  });
}
