import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AuditLogOptions, SignedLog } from '../../core/audit/log.ts';
import { keyIdOf } from '../../core/audit/note/signed-note.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import { type TestSigner, testSigner } from '../support/log-signer.ts';

export const CLUSTER = 'production';

/** A directory on disk for a log; removed after the test. */
export function logDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'coffer-log-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A clock that stands still, a small reserve, and an identity. */
export function options(signer: TestSigner | undefined, more: Partial<AuditLogOptions> = {}): AuditLogOptions {
  const now = () => new Date('2026-11-21T09:00:00Z');
  return { cluster: CLUSTER, now, reserve: 4096, ...(signer === undefined ? {} : { signer }), ...more };
}

export interface WrittenLog {
  directory: string;
  signer: TestSigner;
  origin: string;
  /** Of the sizes that were asked for. */
  checkpoints: string[];
}

/** A log of a test's own, as `writeLog` makes it. */
export async function writtenLog(t: TestContext, ...sizes: number[]): Promise<WrittenLog> {
  return await writeLog(logDirectory(t), ...sizes);
}

/** Writes a log of as many records as the last of `sizes`, and has it signed at each, then closes it. */
export async function writeLog(directory: string, ...sizes: number[]): Promise<WrittenLog> {
  const signer = testSigner();
  const log = await openAuditLog(directory, options(signer));
  const checkpoints: string[] = [];
  for (const size of sizes) {
    await fill(log, size);
    await log.sign();
    checkpoints.push(log.checkpoint ?? '');
  }
  await log.close();
  return { directory, signer, origin: log.origin, checkpoints };
}

/** Appends until the log has `size` records. */
export async function fill(log: SignedLog, size: number): Promise<void> {
  while (log.size < size) {
    const from = log.size;
    const count = Math.min(4096, size - from);
    await log.append(
      Array.from({ length: count }, (_, at) => ({ event: 'secret.intent', operation: `${from + at + 1}`, name: 'db' })),
    );
  }
}

/** The key as sumdb/note writes it. */
export function verifierKey(origin: string, publicKey: Buffer): string {
  const key = Buffer.concat([Buffer.of(1), publicKey]).toString('base64');
  return `${origin}+${keyIdOf(origin, publicKey)}+${key}`;
}
