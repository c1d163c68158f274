import assert from 'node:assert/strict';
import { appendFile, chmod, mkdtemp, open, readFile, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { readRecords } from '../../test/support/audit-lines.ts';
import fc from '../../test/support/properties.ts';
import { openAuditLog } from './open-log.ts';
import type { AuditLine } from './record.ts';
import { JOURNAL } from './writer/journal.ts';

const now = () => new Date('2026-11-21T09:00:00Z');

async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'coffer-audit-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function linesOf(directory: string): Promise<AuditLine[]> {
  return await Array.fromAsync(readRecords(directory));
}

describe('the audit log', () => {
  test('has every record on disk, in order and numbered without gaps, when append resolves', async (t) => {
    const directory = await scratch(t);
    const log = await openAuditLog(directory, { cluster: 'production', now });
    await log.append([{ event: 'secret.intent', operation: 'a' }]);
    const appends = Array.from({ length: 50 }, (_, index) =>
      log.append([{ event: 'secret.outcome', operation: `${index}` }]),
    );
    await Promise.all(appends);
    const lines = await linesOf(directory);
    assert.deepEqual(
      lines.map(({ sequence }) => sequence),
      Array.from({ length: 51 }, (_, index) => index + 1),
    );
    assert.deepEqual(
      lines.slice(1).map(({ operation }) => operation),
      Array.from({ length: 50 }, (_, index) => `${index}`),
    );
    assert.equal(lines[0]?.time, '2026-11-21T09:00:00.000Z');
    assert.ok(lines.every(({ cluster }) => cluster === 'production'));
    await log.close();
  });

  test('can be read by its owner alone', async (t) => {
    const directory = join(await scratch(t), 'audit');
    const log = await openAuditLog(directory, { cluster: 'production', now });
    assert.equal((await stat(join(directory, JOURNAL))).mode & 0o777, 0o600);
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    await log.close();
  });

  test('goes on where an earlier run ended', async (t) => {
    const directory = await scratch(t);
    for (let run = 0; run < 3; run++) {
      const log = await openAuditLog(directory, { cluster: 'production', now });
      await log.append([{ event: 'operator.started' }, { event: 'operator.stopped' }]);
      await log.close();
    }
    assert.deepEqual(
      (await linesOf(directory)).map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5, 6],
    );
  });

  test('recovers a line torn at any byte, keeps the whole ones and says what it cut off', async (t) => {
    const directory = await scratch(t);
    const path = join(directory, JOURNAL);
    const log = await openAuditLog(directory, { cluster: 'production', now });
    await log.append([{ event: 'operator.started' }, { event: 'secret.intent', name: 'ü'.repeat(40_000) }]);
    await log.close();
    const whole = await readFile(path);
    const firstLine = whole.indexOf('\n') + 1;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: whole.length - 1 }), async (length) => {
        await writeFile(path, whole);
        await truncate(path, length);
        const again = await openAuditLog(directory, { cluster: 'production', now });
        await again.append([{ event: 'operator.stopped' }]);
        await again.close();
        const events = (await linesOf(directory)).map(({ event }) => event);
        if (length === firstLine) assert.deepEqual(events, ['operator.started', 'operator.stopped']);
        else if (length > firstLine)
          assert.deepEqual(events, ['operator.started', 'log.recovered', 'operator.stopped']);
        else assert.deepEqual(events, ['log.recovered', 'operator.stopped']);
      }),
      { numRuns: 60 },
    );
  });

  test('refuses to go on after a last line that is no record', async (t) => {
    for (const line of ['not json\n', '{}\n', '{"sequence":0}\n', '[]\n', '\n']) {
      const directory = await scratch(t);
      await (await openAuditLog(directory, { cluster: 'production', now })).close();
      await writeFile(join(directory, JOURNAL), line);
      await assert.rejects(openAuditLog(directory, { cluster: 'production', now }), { code: 'AUDIT_DAMAGED' }, line);
    }
  });

  test('clears what a write that failed half way left, and goes on when it can write again', async (t) => {
    const directory = await scratch(t);
    const log = await openAuditLog(directory, { cluster: 'production', now });
    await log.append([{ event: 'operator.started' }]);
    await appendFile(join(directory, JOURNAL), '{"sequence":2,"half');
    await log.append([{ event: 'operator.stopped' }]);
    assert.deepEqual(
      (await linesOf(directory)).map(({ sequence, event }) => [sequence, event]),
      [
        [1, 'operator.started'],
        [2, 'operator.stopped'],
      ],
    );
    await log.close();
  });

  test('says AUDIT_UNWRITABLE when it was removed', async (t) => {
    const directory = await scratch(t);
    const log = await openAuditLog(directory, { cluster: 'production', now });
    await unlink(join(directory, JOURNAL));
    await assert.rejects(log.append([{ event: 'operator.started' }]), { code: 'AUDIT_UNWRITABLE', loop: 'retry' });
    await log.close();
  });

  test('says AUDIT_UNWRITABLE where the file cannot be opened', async (t) => {
    const directory = await scratch(t);
    await chmod(directory, 0o700);
    const blocker = await open(join(directory, 'file'), 'w');
    await blocker.close();
    await assert.rejects(openAuditLog(join(directory, 'file', 'audit'), { cluster: 'production', now }), {
      code: 'AUDIT_UNWRITABLE',
    });
  });
});
