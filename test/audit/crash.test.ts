import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import { verifyLog } from '../../core/audit/verify.ts';
import { onTmpfs } from '../operator/tmpfs.ts';
import { readRecords } from '../support/audit-lines.ts';
import { testSigner } from '../support/log-signer.ts';
import { goVerifier } from './go-verifier.ts';
import { fill, logDirectory, options, writtenLog } from './written-log.ts';

const WRITER = join(import.meta.dirname, 'writer-process.ts');
const SIGNED = 255;
const INTENT = { event: 'secret.intent' } as const;

describe('a power cut', () => {
  test('at every byte of what was being written: what was acknowledged stays, what was torn is cut off and said', async (t) => {
    const { directory, signer } = await writtenLog(t, SIGNED);
    const whole = statSync(join(directory, 'journal')).size;
    // What follows fills a tile, in two groups.
    const going = join(logDirectory(t), 'going');
    cpSync(directory, going, { recursive: true });
    const log = await openAuditLog(going, options(signer));
    await log.append([INTENT]);
    const single = statSync(join(going, 'journal')).size;
    await log.append([INTENT, INTENT]);
    await log.close();
    const bytes = readFileSync(join(going, 'journal'));
    // On tmpfs, where a flush costs nothing: what matters here are the bytes.
    const copy = join(onTmpfs(t), 'copy');
    for (let length = whole; length <= bytes.length; length++) {
      cpSync(directory, copy, { recursive: true });
      writeFileSync(join(copy, 'journal'), bytes.subarray(0, length));
      const again = await openAuditLog(copy, options(signer));
      await again.close();
      // What was appended together is there together.
      const ends = [whole, single, bytes.length];
      const isTorn = !ends.includes(length);
      const lines = await Array.fromAsync(readRecords(copy));
      const kept = SIGNED + (length < single ? 0 : length < bytes.length ? 1 : 3);
      assert.equal(lines.length, kept + (isTorn ? 1 : 0), `cut at ${length}`);
      assert.equal(lines.at(-1)?.event === 'log.recovered', isTorn);
      const { findings, size } = await verifyLog(new DirectoryStore(copy), { identity: signer.publicKey });
      assert.deepEqual([findings, size], [[], lines.length]);
      rmSync(copy, { recursive: true });
    }
  });

  test('before what a checkpoint covers was kept is none: the log is not opened', async (t) => {
    const { directory, signer } = await writtenLog(t, 20);
    truncateSync(join(directory, 'journal'), statSync(join(directory, 'journal')).size - 1);
    await assert.rejects(openAuditLog(directory, options(signer)), { code: 'AUDIT_ROLLED_BACK', loop: 'stop' });
  });

  test('that leaves blocks of zeros, and later ones that did arrive, loses what was never acknowledged', async (t) => {
    const { directory, signer } = await writtenLog(t, 20);
    const journal = join(directory, 'journal');
    const late = readFileSync(journal).subarray(0, 200);
    for (const tail of [Buffer.alloc(5000), Buffer.concat([Buffer.alloc(100_000), late]), Buffer.from('{"a\0b"}\n')]) {
      appendFileSync(journal, tail);
      const log = await openAuditLog(directory, options(signer));
      await log.close();
      const lines = await Array.fromAsync(readRecords(directory));
      assert.match(lines.at(-1)?.message ?? '', new RegExp(`cut off ${tail.length} bytes`));
    }
    assert.equal((await Array.fromAsync(readRecords(directory))).length, 23);
  });

  test('between a tile and the journal, or with unfinished files about: the next run mends it', async (t) => {
    const { directory, signer } = await writtenLog(t, 700);
    for (const path of ['tile/entries/001', 'tile/0/001', 'tile/0/002.p/188', 'tile/1/000.p/2', 'reserve'])
      rmSync(join(directory, path));
    writeFileSync(join(directory, 'tile/0/000'), 'torn');
    for (const name of ['.journal.tmp', '.tile-0-001.tmp']) writeFileSync(join(directory, name), 'unfinished');
    const log = await openAuditLog(directory, options(signer));
    await fill(log, 701);
    await log.close();
    const { findings, size } = await verifyLog(new DirectoryStore(directory), { identity: signer.publicKey });
    assert.deepEqual([findings, size], [[], 701]);
  });
});

test('kill -9 at random moments: all that was acknowledged is there, in order, and each checkpoint goes on from the last', async (t) => {
  const [directory, seed] = [logDirectory(t), randomBytes(32)];
  const identity = testSigner(seed).publicKey;
  const checkpoints: string[] = [];
  let acknowledged = 0;
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, [WRITER, directory, seed.toString('hex')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    const lines = createInterface(child.stdout);
    const ended = once(child, 'exit');
    lines.on('line', (line) => {
      acknowledged = Math.max(acknowledged, Number(line.replace('opened ', '')));
    });
    await once(lines, 'line');
    await setTimeout(randomInt(300));
    child.kill('SIGKILL');
    await ended;
    const sequences = (await Array.fromAsync(readRecords(directory))).map(({ sequence }) => sequence);
    assert.deepEqual(
      sequences,
      Array.from({ length: sequences.length }, (_, at) => at + 1),
    );
    assert.ok(sequences.length >= acknowledged, `${acknowledged} were acknowledged, ${sequences.length} are there`);
    const report = await verifyLog(new DirectoryStore(directory), { identity, checkpoints });
    const unsigned = report.findings.filter(({ kind }) => kind !== 'unsigned');
    assert.deepEqual(unsigned, []);
    if (report.size > 0) checkpoints.push(readFileSync(join(directory, 'checkpoint'), 'utf8'));
  }
  const log = await openAuditLog(directory, options(testSigner(seed), { known: checkpoints }));
  await log.close();
  const report = await verifyLog(new DirectoryStore(directory), { identity, checkpoints });
  assert.deepEqual([report.findings, report.size, report.unsigned], [[], log.size, 0]);
  t.diagnostic(`${report.size} records, ${checkpoints.length} checkpoints`);
  const go = await goVerifier(t);
  if (go === undefined) return;
  assert.equal(await go({ directory, origin: log.origin, publicKey: identity }), `ok ${report.size} ${report.root}`);
});
