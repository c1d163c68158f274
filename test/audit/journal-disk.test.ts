import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import type { SignedLog } from '../../core/audit/log.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { verifyLog } from '../../core/audit/verify.ts';
import { fillUp, smallTmpfs } from '../operator/tmpfs.ts';
import { readRecords } from '../support/audit-lines.ts';
import { testSigner } from '../support/log-signer.ts';
import { fill, logDirectory, options } from './written-log.ts';

const RESERVE = 64 * 1024;
const INTENT: AuditRecord = { event: 'secret.intent', operation: 'new', name: 'x'.repeat(5000) };
const OUTCOME: AuditRecord = { event: 'secret.outcome', operation: '1', outcome: 'written' };

async function eventsOf(directory: string): Promise<string[]> {
  return (await Array.fromAsync(readRecords(directory))).map(({ event }) => event);
}

/** As a checkpoint says, everything. */
async function isWhole(log: SignedLog, directory: string, identity: Buffer): Promise<void> {
  await log.close();
  const { findings, size } = await verifyLog(new DirectoryStore(directory), { identity });
  assert.deepEqual([findings, size], [[], log.size]);
}

describe('a disk that is full', () => {
  test('takes nothing new; the reserve takes that it is full, and how that ended which had begun; then it goes on', async (t) => {
    const directory = smallTmpfs(t, 2048);
    if (directory === undefined) return;
    const signer = testSigner();
    const log = await openAuditLog(directory, options(signer, { reserve: RESERVE }));
    await fill(log, 300);
    await log.sign();
    const filler = join(directory, 'filler');
    fillUp(filler);
    // Whatever is left of the journal's last page is used up by intents first.
    for (let taken = true; taken; ) taken = await log.append([INTENT]).then(() => true, mustBeFull);
    assert.deepEqual(
      log.problems.map(({ code }) => code),
      ['AUDIT_FULL'],
    );
    await log.append([OUTCOME]);
    await assert.rejects(log.append([OUTCOME, INTENT]), { code: 'AUDIT_FULL', loop: 'retry' });
    await assert.rejects(log.append([{ event: 'operator.started' }]), { code: 'AUDIT_FULL' });
    await Promise.all(Array.from({ length: 100 }, () => log.append([OUTCOME])));
    assert.deepEqual((await eventsOf(directory)).slice(-102), ['log.full', ...Array(101).fill('secret.outcome')]);
    rmSync(filler);
    await log.append([INTENT]);
    assert.deepEqual(log.problems, []);
    assert.equal(statSync(join(directory, 'reserve')).size, RESERVE);
    await isWhole(log, directory, signer.publicKey);
  });

  test('says once that it is full, however often what is too large for the room that is left is tried again', async (t) => {
    const directory = smallTmpfs(t, 4096);
    if (directory === undefined) return;
    const reserve = 256 * 1024;
    const log = await openAuditLog(directory, options(testSigner(), { reserve }));
    t.after(() => log.close());
    await fill(log, 300);
    await log.sign();
    const { bavail, bsize } = statfsSync(directory);
    writeFileSync(join(directory, 'filler'), Buffer.alloc(bavail * bsize - 3 * reserve));
    const large = Array.from({ length: 3000 }, (): AuditRecord => ({ ...INTENT, name: 'x'.repeat(400) }));
    for (let tries = 0; tries < 5; tries++) await assert.rejects(log.append(large), { code: 'AUDIT_FULL' });
    const said = (await eventsOf(directory)).filter((event) => event === 'log.full');
    assert.equal(said.length, 1);
  });

  test('lets nothing of the reserve be used twice: when that is full too, an outcome waits as well', async (t) => {
    const directory = smallTmpfs(t, 1024);
    if (directory === undefined) return;
    const signer = testSigner();
    const log = await openAuditLog(directory, options(signer, { reserve: 8192 }));
    await log.append([INTENT]);
    const filler = join(directory, 'filler');
    fillUp(filler);
    for (let taken = true; taken; ) taken = await log.append([INTENT]).then(() => true, mustBeFull);
    for (let taken = true; taken; ) taken = await log.append([OUTCOME]).then(() => true, mustBeFull);
    const kept = await eventsOf(directory);
    rmSync(filler);
    await log.append([OUTCOME]);
    assert.deepEqual((await eventsOf(directory)).slice(0, -1), kept);
    await isWhole(log, directory, signer.publicKey);
  });

  test('is no reason not to open a log that is there: it says so, and goes on when there is room', async (t) => {
    const directory = smallTmpfs(t, 1024);
    if (directory === undefined) return;
    const signer = testSigner();
    const first = await openAuditLog(directory, options(signer, { reserve: RESERVE }));
    await fill(first, 10);
    await first.close();
    rmSync(join(directory, 'reserve'));
    const filler = join(directory, 'filler');
    fillUp(filler);
    const log = await openAuditLog(directory, options(signer, { reserve: RESERVE }));
    assert.deepEqual(
      log.problems.map(({ code }) => code),
      ['AUDIT_FULL'],
    );
    await assert.rejects(log.append([INTENT]), { code: 'AUDIT_FULL' });
    rmSync(filler);
    await log.append([INTENT]);
    assert.deepEqual((await eventsOf(directory)).slice(10), ['log.full', 'secret.intent']);
    await isWhole(log, directory, signer.publicKey);
  });
});

test('a disk that is read-only: the log is not opened, and is as it was when it can be written again', async (t) => {
  const directory = smallTmpfs(t, 4096);
  if (directory === undefined) return;
  const signer = testSigner();
  const first = await openAuditLog(directory, options(signer, { reserve: RESERVE }));
  await fill(first, 10);
  await first.close();
  remount(directory, 'ro');
  await assert.rejects(openAuditLog(directory, options(signer)), { code: 'AUDIT_UNWRITABLE', loop: 'retry' });
  assert.equal((await verifyLog(new DirectoryStore(directory), { identity: signer.publicKey })).size, 10);
  remount(directory, 'rw');
  const log = await openAuditLog(directory, options(signer, { reserve: RESERVE }));
  await log.append([INTENT]);
  await isWhole(log, directory, signer.publicKey);
});

test('a disk that is too slow: what waits is bounded, and the rest is refused', async (t) => {
  const directory = logDirectory(t);
  const log = await openAuditLog(directory, options(testSigner()));
  const thousand: AuditRecord[] = Array.from({ length: 1000 }, () => ({ event: 'secret.intent' }));
  // In one turn, so that the disk has no chance.
  const appends = Array.from({ length: 60 }, () => log.append(thousand));
  const results = await Promise.allSettled(appends);
  const refused = results.filter((result) => result.status === 'rejected');
  assert.equal(refused.length, 10);
  for (const { reason } of refused) assert.equal(reason.code, 'AUDIT_BEHIND');
  assert.equal(log.size, 50_000);
  await log.append(thousand);
  await log.close();
});

function mustBeFull(error: unknown): false {
  assert.equal(Object(error).code, 'AUDIT_FULL', String(error));
  return false;
}

function remount(directory: string, mode: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${mode}`, directory]);
}
