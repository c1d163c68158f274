import { constants, type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { throwRefusal } from '../../files/system-error.ts';
import { writeAt } from '../../files/write-at.ts';
import { DigestSet } from './digest-set.ts';
import { DIGEST_BYTES, type Learnt, RECORD_BYTES, type RecordKind, recordDigest, recordsOf } from './sealed-records.ts';

export type { Learnt } from './sealed-records.ts';

const FILE = 'sealed-before';
/** Commits up to which what is known can be told apart: the accepted one is the last, or just before some that were not. */
const MOST_ENDS = 256;
const HEADER = Buffer.from('coffer sealed-before 1\n');

/**
 * Which sealed texts were first seen under which data key, and to which keys that was sealed: what a former commit held, without
 * looking for it in history. Digests in one block of memory each (some 60 bytes a value), and in a file that grows at its end.
 *
 * The file: a line, then records of one byte (1 data key id, 2 text under a data key id, 3 key id that a data key was sealed to,
 * 4 commit) and 16 bytes of SHA-256 over the parts. A record of a commit says that what stands before it is all that this commit
 * and its history hold. What stands behind that of the accepted commit was learnt of a head that then was not accepted (a crash, a
 * branch that was replaced meanwhile): it does not count, and the next write takes its place.
 */
export class SealedBefore {
  readonly #sets: Record<Exclude<RecordKind, 'upTo'>, DigestSet> = {
    dataKey: new DigestSet(DIGEST_BYTES),
    text: new DigestSet(DIGEST_BYTES),
    key: new DigestSet(DIGEST_BYTES),
  };
  readonly #store: Store;
  /** Where the last record of a commit ends, by its digest. */
  readonly #ends = new Map<string, number>();
  #length = 0;

  private constructor(store: Store) {
    this.#store = store;
  }

  /** Reads what is in the folder, or begins with nothing. A torn end (a crash) is written over. Throws FILE_SYSTEM. */
  static async open(folder: string): Promise<SealedBefore> {
    const sealed = new SealedBefore(await FileStore.open(folder));
    sealed.#load(await sealed.#store.read());
    return sealed;
  }

  /** Without a file: for a check that remembers nothing. */
  static inMemory(records: Buffer = Buffer.alloc(0)): SealedBefore {
    const sealed = new SealedBefore(new MemoryStore(records));
    sealed.#load(records);
    return sealed;
  }

  /**
   * What is known of a commit and its history, and nothing that was learnt after it; undefined: not all of it is, because another
   * operator accepted it, or it is the first.
   */
  async upTo(commit: string): Promise<SealedBefore | undefined> {
    const end = this.#ends.get(endKey(recordDigest(commit)));
    if (end === undefined || end === this.#length) return end === undefined ? undefined : this;
    return SealedBefore.inMemory((await this.#store.read()).subarray(0, end));
  }

  hasDataKey(dataKeyId: string): boolean {
    return this.#sets.dataKey.has(recordDigest(dataKeyId));
  }

  hasText(dataKeyId: string, text: string): boolean {
    return this.#sets.text.has(recordDigest(dataKeyId, text));
  }

  /** Whether the data key was ever sealed to this key. */
  wasSealedTo(dataKeyId: string, kid: string): boolean {
    return this.#sets.key.has(recordDigest(dataKeyId, kid));
  }

  /** Writes (fsync), then knows it; twice is as good as once. Throws FILE_SYSTEM, and then knows no more than before. */
  async learn({ base, records }: Learnt): Promise<void> {
    const end = base === undefined ? undefined : this.#ends.get(endKey(recordDigest(base)));
    if (end !== undefined && end < this.#length) this.#load((await this.#store.read()).subarray(0, end));
    const added = Buffer.alloc(records.length);
    let length = 0;
    let isOnlyEnd = true;
    for (const { kind, digest, record } of recordsOf(records)) {
      if (kind !== 'upTo' && this.#sets[kind].has(digest)) continue;
      isOnlyEnd &&= kind === 'upTo' && this.#ends.get(endKey(digest)) === this.#length;
      length += record.copy(added, length);
    }
    if (isOnlyEnd) return;
    const bytes = added.subarray(0, length);
    await this.#store.write(this.#length, bytes);
    this.#take(bytes);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  #load(records: Buffer): void {
    for (const set of Object.values(this.#sets)) set.clear();
    this.#ends.clear();
    this.#length = 0;
    this.#take(records);
  }

  #end(key: string): void {
    // Anew, so that the oldest is the first.
    this.#ends.delete(key);
    this.#ends.set(key, this.#length);
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > MOST_ENDS && oldest !== undefined) this.#ends.delete(oldest);
  }

  #take(bytes: Buffer): void {
    for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
      this.#length += RECORD_BYTES;
      for (const { kind, digest } of recordsOf(bytes.subarray(at, at + RECORD_BYTES))) {
        if (kind === 'upTo') this.#end(endKey(digest));
        else this.#sets[kind].add(digest);
      }
    }
  }
}

function endKey(digest: Buffer): string {
  return digest.toString('latin1');
}

/** Records, by offsets from the first of them. */
interface Store {
  read(): Promise<Buffer>;
  /** Behind what it leaves of what is there. */
  write(at: number, bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

class MemoryStore implements Store {
  #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  async read(): Promise<Buffer> {
    return this.#bytes;
  }

  async write(at: number, bytes: Buffer): Promise<void> {
    this.#bytes = Buffer.concat([this.#bytes.subarray(0, at), bytes]);
  }

  async close(): Promise<void> {}
}

class FileStore implements Store {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(folder: string): Promise<FileStore> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return new FileStore(await open(join(folder, FILE), constants.O_RDWR | constants.O_CREAT, 0o600));
    } catch (error) {
      throwRefusal(error);
    }
  }

  async read(): Promise<Buffer> {
    try {
      const { size } = await this.#file.stat();
      const bytes = Buffer.alloc(size);
      const { bytesRead } = await this.#file.read(bytes, 0, size, 0);
      const isOurs = bytes.subarray(0, HEADER.length).equals(HEADER);
      return isOurs ? bytes.subarray(HEADER.length, bytesRead) : Buffer.alloc(0);
    } catch (error) {
      throwRefusal(error);
    }
  }

  async write(at: number, bytes: Buffer): Promise<void> {
    const start = at === 0 ? 0 : HEADER.length + at;
    const all = at === 0 ? Buffer.concat([HEADER, bytes]) : bytes;
    try {
      await this.#file.truncate(start);
      await writeAt(this.#file, all, start);
      await this.#file.datasync();
    } catch (error) {
      throwRefusal(error);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
