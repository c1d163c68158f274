import { createHmac, type Hmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { nothingFor } from '../../errors.ts';
import type { LogSigner } from '../log.ts';

const INFO = 'coffer/v1/journal';
const KEY_BYTES = 32;
const NEWLINE = '\n';

/** Where in a log a group of records begins. */
export interface Position {
  /** Records before it. */
  size: number;
  /** A hash of all of them. */
  head: Buffer;
}

/** The key that vouches for a journal. @param seed of the identity. @returns 32 bytes, which the caller wipes (HKDF-SHA256, RFC 5869). */
export function journalKeyOf(seed: Uint8Array, origin: string): Buffer {
  return Buffer.from(hkdfSync('sha256', seed, '', `${INFO}\n${origin}`, KEY_BYTES));
}

/**
 * Tells what the operator wrote into the journal from what somebody else did who owns the disk: each group of records that is written
 * together bears HMAC-SHA256 over all that is before it and its lines. Where the identity cannot be read, groups bear none.
 */
export class JournalMark {
  readonly #origin: string;
  readonly #signer: LogSigner | undefined;
  #key: Buffer | undefined;

  constructor(origin: string, signer: LogSigner | undefined) {
    this.#origin = origin;
    this.#signer = signer;
  }

  /** Whether it can tell now. */
  get isKnown(): boolean {
    return this.#key !== undefined;
  }

  /** Whether somebody will sign what is read, sooner or later. */
  get isWanted(): boolean {
    return this.#signer !== undefined;
  }

  /** Asks for the key, unless it is known. That its place does not answer is no error. */
  async find(): Promise<void> {
    this.#key ??= await this.#signer?.journalKey(this.#origin).catch(nothingFor());
  }

  /** The lines of a group, which stand or fall together. */
  linesOf(entries: readonly Buffer[], position: Position): Buffer {
    if (this.#key === undefined) return Buffer.concat(entries.flatMap((entry) => [entry, Buffer.from(NEWLINE)]));
    const [more, last] = [Buffer.from('\t\n'), Buffer.from(`\t${this.#macOf(this.#key, entries, position)}\n`)];
    return Buffer.concat(entries.flatMap((entry, at) => [entry, at === entries.length - 1 ? last : more]));
  }

  /** Whether the operator wrote this group, there. */
  isOurs(mark: string, entries: readonly Buffer[], position: Position): boolean {
    if (this.#key === undefined) return false;
    const [given, right] = [Buffer.from(mark), Buffer.from(this.#macOf(this.#key, entries, position))];
    return given.length === right.length && timingSafeEqual(given, right);
  }

  wipe(): void {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  /** Of lines, none of which can hold a newline. */
  #macOf(key: Buffer, entries: readonly Buffer[], { size, head }: Position): string {
    const before = `${INFO}\n${this.#origin}\n${size}\n${head.toString('base64')}\n`;
    const mac: Hmac = createHmac('sha256', key).update(before);
    for (const entry of entries) mac.update(entry).update(NEWLINE);
    return mac.digest('base64url');
  }
}
