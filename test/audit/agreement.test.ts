import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import { parseCheckpoint } from '../../core/audit/note/checkpoint.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import { verifyLog } from '../../core/audit/verify.ts';
import { testSigner } from '../support/log-signer.ts';
import { goVerifier } from './go-verifier.ts';
import { fill, logDirectory, options, writtenLog } from './written-log.ts';

const LARGE = 65_536 + 300;

test('an independent verifier and we agree at every step of a log, and that each step goes on from the last', async (t) => {
  const go = await goVerifier(t);
  if (go === undefined) return;
  const [directory, kept, signer] = [logDirectory(t), logDirectory(t), testSigner()];
  const log = await openAuditLog(directory, options(signer));
  const [older, files]: [string[], string[]] = [[], []];
  for (const size of [1, 2, 255, 256, 257, 511, 512, 1000, LARGE]) {
    await fill(log, size);
    await log.sign();
    const checkpoint = log.checkpoint ?? assert.fail();
    const { root } = parseCheckpoint(checkpoint);
    const identity = signer.publicKey;
    const said = await go({ directory, origin: log.origin, publicKey: identity }, ...files);
    assert.equal(said, `ok ${size} ${root.toString('base64')}`);
    const report = await verifyLog(new DirectoryStore(directory), { identity, checkpoints: older });
    assert.deepEqual(report.findings, []);
    assert.deepEqual([report.size, report.root, report.unsigned], [size, root.toString('base64'), 0]);
    older.push(checkpoint);
    const file = join(kept, String(size));
    await writeFile(file, checkpoint);
    files.push('-checkpoint', file);
  }
  await log.close();
});

test('a checkpoint of another key, or of a log that was cut since, is refused by both', async (t) => {
  const go = await goVerifier(t);
  if (go === undefined) return;
  const { directory, origin, signer, checkpoints } = await writtenLog(t, 300, 600);
  const other = testSigner().publicKey;
  assert.match(await go({ directory, origin, publicKey: other }), /note has no verifiable signatures/);
  const report = await verifyLog(new DirectoryStore(directory), { identity: other });
  assert.deepEqual(
    report.findings.map(({ kind }) => kind),
    ['replaced-key'],
  );
  const cut = await writtenLog(t, 300);
  const file = join(directory, 'older');
  await writeFile(file, checkpoints[1] ?? '');
  await writeFile(join(cut.directory, 'checkpoint'), checkpoints[0] ?? '');
  assert.match(
    await go({ directory: cut.directory, origin, publicKey: signer.publicKey }, '-checkpoint', file),
    /the log was cut/,
  );
});
