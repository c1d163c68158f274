import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { entryOf } from '../../core/audit/canonical.ts';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import type { LogSigner } from '../../core/audit/log.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import type { AuditLine, AuditRecord } from '../../core/audit/record.ts';
import { verifyLog } from '../../core/audit/verify.ts';
import { readRecords } from '../support/audit-lines.ts';
import { fill, logDirectory, options, type WrittenLog, writtenLog } from './written-log.ts';

const SIZE = 700;
const FORGED: AuditRecord[] = [
  { event: 'log.pruned', count: 512 },
  { event: 'value.compared', namespace: 'payments', name: 'db', entries: ['password'], outcome: 'changed' },
  // That would cast doubt on all that was signed.
  { event: 'log.recovered', count: SIZE },
];

/** Lines as the operator would write them, but for the key. */
function append(directory: string, from: number, records: readonly AuditRecord[], mark = ''): void {
  const time = '2026-11-21T09:00:00.000Z';
  const lines = records.map((record, at) => `${entryOf({ ...record, sequence: from + at, time })}${mark}\n`);
  appendFileSync(join(directory, 'journal'), lines.join(''));
}

async function compared({ directory, signer }: WrittenLog) {
  const lines: AuditLine[] = [];
  const wanted = { event: 'value.compared', take: (line: AuditLine) => lines.push(line) } as const;
  const report = await verifyLog(new DirectoryStore(directory), { identity: signer.publicKey, wanted });
  return { lines: lines.map(({ sequence }) => sequence), report };
}

/** Open, one more record, signed, closed. */
async function goOn({ directory, signer }: WrittenLog, by: LogSigner = signer): Promise<void> {
  const log = await openAuditLog(directory, options(undefined, { signer: by }));
  await log.append([{ event: 'value.compared', outcome: 'same' }]);
  await log.sign();
  await log.close();
}

/** Written, and not signed: as if it was killed before the checkpoint. */
async function unsigned(t: TestContext, written: WrittenLog, records: readonly AuditRecord[][]): Promise<number[]> {
  const kept = join(logDirectory(t), 'checkpoint');
  const [checkpoint, journal] = [join(written.directory, 'checkpoint'), join(written.directory, 'journal')];
  cpSync(checkpoint, kept);
  const log = await openAuditLog(written.directory, options(written.signer));
  const ends: number[] = [statSync(journal).size];
  for (const group of records) {
    await log.append(group);
    ends.push(statSync(journal).size);
  }
  await log.close();
  cpSync(kept, checkpoint);
  return ends;
}

describe('somebody who owns the disk and not the identity appends to the journal while no operator runs', () => {
  test('what is not marked is signed behind a record that says so, and counts for nothing', async (t) => {
    const written = await writtenLog(t, SIZE);
    append(written.directory, SIZE + 1, FORGED);
    await goOn(written);
    for (const index of ['000', '001']) rmSync(join(written.directory, 'tile/entries', index));
    const { lines, report } = await compared(written);
    // Only what the operator wrote after it.
    assert.deepEqual(lines, [SIZE + 5]);
    assert.deepEqual(
      report.findings.map(({ kind, from, to }) => [kind, from, to]),
      [['deleted', 1, 512]],
    );
    const [said] = (await Array.fromAsync(readRecords(written.directory))).slice(-2);
    assert.deepEqual([said?.sequence, said?.event, said?.count], [SIZE + 4, 'log.recovered', 3]);
  });

  test('before the identity can be read: the same, whoever signs later', async (t) => {
    const written = await writtenLog(t, SIZE);
    append(written.directory, SIZE + 1, FORGED);
    let isThere = false;
    const late: LogSigner = {
      sign: async (text) => (isThere ? await written.signer.sign(text) : undefined),
      journalKey: async (origin) => (isThere ? await written.signer.journalKey(origin) : undefined),
    };
    const log = await openAuditLog(written.directory, options(undefined, { signer: late }));
    await log.append([{ event: 'secret.intent' }]);
    isThere = true;
    await log.sign();
    await log.close();
    const { lines, report } = await compared(written);
    assert.deepEqual([lines, report.forgotten, report.findings], [[], 0, []]);
  });

  for (const mark of ['\tAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '\tx'])
    test(`what bears a mark of its own (${mark.length} bytes) is not taken for ours: AUDIT_DAMAGED`, async (t) => {
      const written = await writtenLog(t, SIZE);
      append(written.directory, SIZE + 1, FORGED.slice(0, 1), mark);
      await assert.rejects(goOn(written), { code: 'AUDIT_DAMAGED', loop: 'stop' });
    });

  test('a group without its end was never acknowledged: cut off, and said', async (t) => {
    const written = await writtenLog(t, SIZE);
    append(written.directory, SIZE + 1, FORGED, '\t');
    await goOn(written);
    const { lines, report } = await compared(written);
    assert.deepEqual([lines, report.size, report.findings], [[SIZE + 2], SIZE + 2, []]);
  });
});

describe('what the operator wrote itself, and no checkpoint covers yet', () => {
  const groups: AuditRecord[][] = [
    [{ event: 'value.compared' }],
    [{ event: 'value.compared' }, { event: 'secret.intent' }],
  ];

  test('goes on to count, also where nothing was signed before', async (t) => {
    for (const size of [SIZE, 1]) {
      const written = await writtenLog(t, size);
      await unsigned(t, written, groups);
      if (size === 1) rmSync(join(written.directory, 'checkpoint'));
      await goOn(written);
      assert.deepEqual((await compared(written)).lines, [size + 1, size + 2, size + 4]);
    }
  });

  test('goes on to count after the journal was cut', async (t) => {
    const written = await writtenLog(t, 1);
    const log = await openAuditLog(written.directory, options(written.signer));
    await fill(log, 5000);
    await log.append([{ event: 'value.compared' }]);
    await log.close();
    const begins = /"sequence":(\d+)/.exec(readFileSync(join(written.directory, 'journal'), 'utf8'))?.[1];
    // Where exactly is a matter of when the tiles were on disk.
    assert.ok(Number(begins) > 4096, `it begins with ${begins}`);
    rmSync(join(written.directory, 'checkpoint'));
    await goOn(written);
    assert.deepEqual((await compared(written)).lines, [5001, 5002]);
  });

  test('cannot be edited, nor stand where it did not stand: AUDIT_DAMAGED', async (t) => {
    const written = await writtenLog(t, 10);
    const ends = await unsigned(t, written, groups);
    const journal = join(written.directory, 'journal');
    const bytes = readFileSync(journal);
    const edited = bytes
      .toString()
      .replace('"event":"secret.intent","sequence":13', '"event":"secret.denied","sequence":13');
    // As records of another run, from which the first group was taken away.
    truncateSync(journal, ends[0]);
    const other = await unsigned(t, written, [[{ event: 'operator.started' }]]);
    const moved = Buffer.concat([readFileSync(journal).subarray(0, other[1]), bytes.subarray(ends[1])]);
    for (const text of [edited, moved]) {
      writeFileSync(journal, text);
      await assert.rejects(goOn(written), { code: 'AUDIT_DAMAGED', loop: 'stop' });
    }
  });
});
