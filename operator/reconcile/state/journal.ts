import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CofferError } from '../../../core/errors.ts';
import { writeFileAtomically } from '../../../core/files/atomic.ts';

export interface JournalOptions<Row> {
  /** Called for each row that is in the file, oldest first. */
  replay(row: Row): void;
  /** The rows that would rebuild what is known now: what the file is replaced by when it has grown. */
  live(): Iterable<Row>;
}

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
    const lines = bytes.toString('utf8', 0, size).split('\n').slice(0, -1);
    for (const [i, line] of lines.entries()) options.replay(parse<Row>(line, path, i + 1));
    return new Journal(path, options, handle, size, lines.length);
  }

  /** Throws `STATE_UNWRITABLE`; then none of the rows is in the file. */
  async append(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const bytes = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    try {
      await this.#handle.appendFile(bytes);
      await this.#handle.datasync();
    } catch (error) {
      // A full disk may have taken a part of the rows; without this the next row would continue that part's last line.
      await this.#handle.truncate(this.#size);
      throw unwritable(this.#path, error);
    }
    this.#size += bytes.length;
    this.#rows += rows.length;
  }

  /** To be called when what was appended has been taken over into what `live` gives. */
  async compact(liveRows: number): Promise<void> {
    if (this.#rows <= 2 * liveRows + SLACK) return;
    const lines = Array.from(this.#options.live(), (row) => `${JSON.stringify(row)}\n`);
    const bytes = Buffer.from(lines.join(''));
    try {
      await writeFileAtomically(this.#path, bytes, { mode: 0o600 });
      await this.#handle.close();
      this.#handle = await open(this.#path, 'a', 0o600);
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    this.#size = bytes.length;
    this.#rows = lines.length;
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
