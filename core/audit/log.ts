import type { CofferError } from '../errors.ts';
import type { AuditLine, AuditRecord } from './record.ts';

/** An append-only log. Its form may change; its promise does not: what `append` was given is on disk when it resolves. */
export interface AuditLog {
  /** Throws CofferError `AUDIT_UNWRITABLE`; then none of the records is in the log. */
  append(records: readonly AuditRecord[]): Promise<void>;
  /** Writes what is still waiting, then closes. */
  close(): Promise<void>;
}

/** The log of a directory: what it promises, and how it is doing. */
export interface SignedLog extends AuditLog {
  /** What its checkpoints begin with: `coffer.dev/audit/CLUSTER/LOGID`. */
  readonly origin: string;
  /** Records. */
  readonly size: number;
  /** The newest signed one, as text; undefined: none yet. */
  readonly checkpoint: string | undefined;
  /** What is wrong with it now, for the status: `AUDIT_UNSIGNED`, `AUDIT_FULL`, `AUDIT_UNWRITABLE`; empty: nothing. */
  readonly problems: readonly CofferError[];
  /** Writes a checkpoint now instead of within a second. Throws CofferError `AUDIT_UNSIGNED` and what the disk says. */
  sign(): Promise<void>;
}

/** Who signs checkpoints: the cluster's identity, wherever it is kept. */
export interface LogSigner {
  /** Ed25519 over `text`: a public key of 32 bytes, a signature of 64. Undefined: there is no identity yet. */
  sign(text: Buffer): Promise<{ publicKey: Buffer; signature: Buffer } | undefined>;
  /**
   * A key of 32 bytes that only the identity yields, for the log of that origin: it vouches for records that no checkpoint covers yet.
   * The log wipes it. Undefined: there is no identity yet. Throws CofferError where its place does not answer.
   */
  journalKey(origin: string): Promise<Buffer | undefined>;
}

export interface AuditLogOptions {
  /** Part of the log's name, and in every record: on standard output, and among those of others, nothing else says whose it is. */
  cluster: string;
  /** The clock that stamps the lines. */
  now: () => Date;
  /** Absent: records are durable, and nothing is signed. */
  signer?: LogSigner;
  /**
   * Notes that are remembered elsewhere as checkpoints of this log: it must go on from each that its identity signed, and is not opened
   * else, or takes nothing more once it is seen. Those that it did not sign count for nothing.
   */
  known?: readonly string[];
  /** Called with what has just become durable, in order. */
  written?: (lines: readonly AuditLine[]) => void;
  /** Called with each checkpoint that is on disk. */
  checkpointed?: (text: string) => void;
  /** Records older than this (milliseconds) are forgotten; absent: none. */
  keep?: number;
  /** Bytes kept for the records that say that the disk is full; absent: 1 MiB. */
  reserve?: number;
}
