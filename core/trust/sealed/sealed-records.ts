import { hash } from 'node:crypto';
import { type Holding, WEIGHTS } from '../holding.ts';
import type { SealedSink } from './sealed-scan.ts';

/** What a judged range adds; opaque to callers, who give it back to `SealedBefore.learn` when its head is accepted. */
export interface Learnt {
  /** The accepted commit from which on it was judged. */
  readonly base?: string;
  /** One behind the other; the last says for which head they are, where all before it is known. */
  readonly records: Buffer;
}

/** What a record says: a data key id was seen, a text under one, a key that one was sealed to; all up to a commit is known. */
const KINDS = { dataKey: 1, text: 2, key: 3, upTo: 4 } as const;
export type RecordKind = keyof typeof KINDS;

/** Wide enough that no other text can be made for a digest that is there. */
export const DIGEST_BYTES = 16;
/** A byte for its kind, and SHA-256 over its parts, cut. */
export const RECORD_BYTES = 1 + DIGEST_BYTES;

/** Records of what was seen, each once, in the order in which it was. */
export class Seen implements SealedSink {
  // As strings: a small Buffer holds on to the block of memory that it was cut from.
  readonly #records = new Set<string>();
  readonly #holding: Holding;

  constructor(holding: Holding) {
    this.#holding = holding;
  }

  /** Its data key id is then seen too. */
  text(dataKeyId: string, text: string): void {
    this.#add('dataKey', dataKeyId);
    this.#add('text', dataKeyId, text);
  }

  key(dataKeyId: string, kid: string): void {
    this.#add('key', dataKeyId, kid);
  }

  /** All that this commit and its history hold was seen by now. */
  upTo(commit: string): void {
    this.#add('upTo', commit);
  }

  hasDataKey(dataKeyId: string): boolean {
    return this.#records.has(recordOf('dataKey', dataKeyId));
  }

  hasText(dataKeyId: string, text: string): boolean {
    return this.#records.has(recordOf('text', dataKeyId, text));
  }

  wasSealedTo(dataKeyId: string, kid: string): boolean {
    return this.#records.has(recordOf('key', dataKeyId, kid));
  }

  records(): Buffer {
    return Buffer.from([...this.#records].join(''), 'latin1');
  }

  #add(kind: RecordKind, ...parts: string[]): void {
    const before = this.#records.size;
    this.#records.add(recordOf(kind, ...parts));
    if (this.#records.size > before) this.#holding.keep(WEIGHTS.sealed);
  }
}

function recordOf(kind: RecordKind, ...parts: string[]): string {
  return String.fromCharCode(KINDS[kind]) + recordDigest(...parts).toString('latin1');
}

export function recordDigest(...parts: string[]): Buffer {
  // None of them holds a NUL: ids by their grammar, sealed texts by theirs.
  return hash('sha256', parts.join('\0'), 'buffer').subarray(0, DIGEST_BYTES);
}

/** Whole ones; a torn one at the end is left out, and so are kinds of a later version. */
export function* recordsOf(bytes: Buffer): Generator<{ kind: RecordKind; digest: Buffer; record: Buffer }> {
  for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    const record = bytes.subarray(at, at + RECORD_BYTES);
    const kind = Object.entries(KINDS).find(([, byte]) => byte === record[0])?.[0] as RecordKind | undefined;
    if (kind !== undefined) yield { kind, digest: record.subarray(1), record };
  }
}
