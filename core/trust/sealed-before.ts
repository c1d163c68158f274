import { hash } from 'node:crypto';
import { constants, type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError } from '../files/system-error.ts';
import { commitsBetween } from '../git/commit-walk.ts';
import type { Repository } from '../git/repository.ts';
import { isFile } from '../git/tree.ts';
import { DigestSet } from './digest-set.ts';
import type { Scope } from './scope.ts';
import { type SealedSink, scanSealed } from './sealed-scan.ts';

/** What a judged range adds; opaque to callers, who give it back to `learn` when the head is accepted. */
export interface Learnt {
  /** One behind the other. */
  readonly records: Buffer;
}

/** What a record says: a data key id was seen, a text under one, a key that one was sealed to. */
const KINDS = { dataKey: 1, text: 2, key: 3 } as const;
type Kind = keyof typeof KINDS;

/** Wide enough that no other text can be made for a digest that is there. */
const DIGEST = 16;
const RECORD = 1 + DIGEST;
const FILE = 'sealed-before';
const HEADER = Buffer.from('coffer sealed-before 1\n');

/**
 * Which sealed texts were first seen under which data key, and to which keys that was sealed: what a former commit held, without
 * looking for it in history. Digests in one block of memory each (some 60 bytes a value), and in an append-only file.
 *
 * The file: a line, then records of one byte (1 data key id, 2 text under a data key id, 3 key id that a data key was sealed to)
 * and 16 bytes of SHA-256 over the parts. Its order means nothing, and a record twice is as good as once.
 */
export class SealedBefore {
  readonly #sets: Record<Kind, DigestSet> = {
    dataKey: new DigestSet(DIGEST),
    text: new DigestSet(DIGEST),
    key: new DigestSet(DIGEST),
  };
  #file: FileHandle | undefined;
  #length = HEADER.length;

  private constructor() {}

  /** Reads what is in the folder, or begins with nothing. A torn end (a crash) is written over. Throws FILE_SYSTEM. */
  static async open(folder: string): Promise<SealedBefore> {
    const sealed = new SealedBefore();
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      sealed.#file = await open(join(folder, FILE), constants.O_RDWR | constants.O_CREAT, 0o600);
      await sealed.#load(sealed.#file);
    } catch (error) {
      await sealed.close();
      throw fromSystemError(error) ?? error;
    }
    return sealed;
  }

  /** Without a file: for a check that remembers nothing. */
  static inMemory(): SealedBefore {
    return new SealedBefore();
  }

  get isEmpty(): boolean {
    return this.#sets.dataKey.size === 0;
  }

  /** Of values: what the tests hold against the memory that it takes. */
  get size(): number {
    return this.#sets.text.size;
  }

  hasDataKey(dataKeyId: string): boolean {
    return this.#sets.dataKey.has(digestOf(dataKeyId));
  }

  hasText(dataKeyId: string, text: string): boolean {
    return this.#sets.text.has(digestOf(dataKeyId, text));
  }

  /** Whether the data key was ever sealed to this key. */
  wasSealedTo(dataKeyId: string, kid: string): boolean {
    return this.#sets.key.has(digestOf(dataKeyId, kid));
  }

  /** Appends to the file (fsync), then knows it. Throws FILE_SYSTEM, and then knows no more than before. */
  async learn({ records }: Learnt): Promise<void> {
    const added = Buffer.concat([...recordsOf(records)].filter((record) => !this.#knows(record)));
    if (added.length === 0) return;
    if (this.#file !== undefined) {
      await append(this.#file, this.#length, added);
      this.#length += added.length;
    }
    for (const record of recordsOf(added)) this.#add(record);
  }

  /** What this knows and what was learnt besides, in memory only; this stays as it is. For one that is empty. */
  with({ records }: Learnt): SealedBefore {
    const both = new SealedBefore();
    for (const record of recordsOf(records)) both.#add(record);
    return both;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #load(file: FileHandle): Promise<void> {
    const bytes = await file.readFile();
    if (bytes.subarray(0, HEADER.length).equals(HEADER)) {
      const records = bytes.subarray(HEADER.length);
      for (const record of recordsOf(records)) this.#add(record);
      this.#length = bytes.length - (records.length % RECORD);
    } else {
      await append(file, 0, HEADER);
    }
  }

  #knows(record: Buffer): boolean {
    return this.#setOf(record)?.has(record.subarray(1)) === true;
  }

  #add(record: Buffer): void {
    this.#setOf(record)?.add(record.subarray(1));
  }

  /** None for a kind of a later version. */
  #setOf(record: Buffer): DigestSet | undefined {
    const kind = Object.entries(KINDS).find(([, byte]) => byte === record[0])?.[0] as Kind | undefined;
    return kind && this.#sets[kind];
  }
}

/** Whole ones; a torn one at the end is left out. */
function* recordsOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + RECORD <= bytes.length; at += RECORD) yield bytes.subarray(at, at + RECORD);
}

/** Writes over whatever stands there: what a crash or a full disk left of an earlier attempt. */
async function append(file: FileHandle, at: number, bytes: Buffer): Promise<void> {
  try {
    await file.truncate(at);
    await file.write(bytes, 0, bytes.length, at);
    await file.datasync();
  } catch (error) {
    throw fromSystemError(error) ?? error;
  }
}

/** Records of what was seen, each once. */
export class Seen implements SealedSink {
  // As strings: a small Buffer holds on to the block of memory that it was cut from.
  readonly #records = new Set<string>();

  dataKey(dataKeyId: string): void {
    this.#add('dataKey', dataKeyId);
  }

  /** Its data key id is then seen too. */
  text(dataKeyId: string, text: string): void {
    this.dataKey(dataKeyId);
    this.#add('text', dataKeyId, text);
  }

  key(dataKeyId: string, kid: string): void {
    this.#add('key', dataKeyId, kid);
  }

  learnt(): Learnt {
    return { records: Buffer.from([...this.#records].join(''), 'latin1') };
  }

  #add(kind: Kind, ...parts: string[]): void {
    this.#records.add(String.fromCharCode(KINDS[kind]) + digestOf(...parts).toString('latin1'));
  }
}

/**
 * All that the commit and the history at hand before it hold, by a scan: for the first accepted commit. What comes is never
 * empty, so that it is known to have been done.
 */
export async function seenUpTo(repository: Repository, scope: Scope, head: string): Promise<Learnt> {
  const seen = new Seen();
  seen.dataKey('');
  const scanned = new Set<string>();
  const trees = new Map<string, string>();
  for await (const { oid, tree, parents } of commitsBetween(repository, { from: undefined, to: head })) {
    trees.set(oid, tree);
    const [parent = ''] = parents;
    for (const { after } of await scope.changes(trees.get(parent) ?? null, tree)) {
      if (after === undefined || !isFile(after) || scanned.has(after.oid)) continue;
      scanned.add(after.oid);
      await scope.turn();
      scanSealed(await repository.readBlob(after.oid), seen);
    }
  }
  return seen.learnt();
}

function digestOf(...parts: string[]): Buffer {
  // None of them holds a NUL: ids by their grammar, sealed texts by theirs.
  return hash('sha256', parts.join('\0'), 'buffer').subarray(0, DIGEST);
}
