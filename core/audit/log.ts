import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { Bug, type CofferError } from '../errors.ts';
import { ORIGIN } from './note/checkpoint.ts';
import type { AuditLine, AuditRecord } from './record.ts';
import { Checkpointer } from './writer/checkpointer.ts';
import { damaged, unwritable } from './writer/errors.ts';
import { Journal } from './writer/journal.ts';
import { LogWriter } from './writer/log-writer.ts';
import { placeFiles } from './writer/place-file.ts';
import { ORIGIN_FILE, readOrigin, recover } from './writer/recover.ts';
import { Reserve } from './writer/reserve.ts';

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
}

export interface AuditLogOptions {
  /** Part of the log's name. */
  cluster: string;
  /** The clock that stamps the lines. */
  now: () => Date;
  /** Absent: records are durable, and nothing is signed. */
  signer?: LogSigner;
  /** Checkpoints of this log that are remembered elsewhere: it must go on from each, or it is not opened. */
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

const RESERVE = 1024 * 1024;

/**
 * Opens the log of a directory, or begins one there: a transparency log in the layout of C2SP tlog-tiles, with a journal beside it
 * (docs/audit.md). Whoever calls holds the directory's lock. What a killed run left half written was never acknowledged: it is cut
 * off, and a record `log.recovered` says so.
 *
 * Throws CofferError `AUDIT_UNWRITABLE`, `AUDIT_FULL` where there is no room to begin one; and, where it is not as it was written,
 * `AUDIT_DAMAGED`, `AUDIT_ROLLED_BACK`, `AUDIT_KEY_REPLACED`, `AUDIT_CHECKPOINT_INVALID`, `AUDIT_TILE_MISSING`.
 */
export async function openAuditLog(directory: string, options: AuditLogOptions): Promise<SignedLog> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const origin = (await readOrigin(directory)) ?? (await begin(directory, options.cluster));
    mustBeOf(directory, origin, options.cluster);
    const { found, ...recovered } = await recover(directory, origin, options.known ?? []);
    const checkpointer = new Checkpointer(directory, origin, options.signer, found);
    const reserve = new Reserve(directory, options.reserve ?? RESERVE);
    const log = new LogWriter({ origin, directory, checkpointer, reserve, ...recovered }, options);
    await log.begin();
    return log;
  } catch (error) {
    throw unwritable(error, directory);
  }
}

/** A new log, whose name no other has. The journal first: where the name is, there is a journal, or it was taken away. */
async function begin(directory: string, cluster: string): Promise<string> {
  const origin = `coffer.dev/audit/${cluster}/${randomBytes(8).toString('hex')}`;
  if (!ORIGIN.test(origin)) throw new Bug('a cluster has a name that no cluster can have');
  await Journal.make(directory);
  await placeFiles(directory, new Map([[ORIGIN_FILE, Buffer.from(`${origin}\n`)]]));
  return origin;
}

function mustBeOf(directory: string, origin: string, cluster: string): void {
  const [, owner] = ORIGIN.exec(origin) ?? [];
  if (owner === undefined) throw damaged(directory, 'the file `origin` holds no name of a log');
  if (owner !== cluster) throw damaged(directory, `it is the log of the cluster ${owner}, not of ${cluster}`);
}
