import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fill, logDirectory, options } from '../../../test/audit/written-log.ts';
import { testSigner } from '../../../test/support/log-signer.ts';
import type { LogSigner } from '../log.ts';
import { parseCheckpoint } from '../note/checkpoint.ts';
import { openAuditLog } from '../open-log.ts';
import { HISTORY } from './checkpointer.ts';

test('a checkpoint whose last steps failed is finished when they can be done, and the log is well again', async (t) => {
  const directory = logDirectory(t);
  const published: string[] = [];
  const log = await openAuditLog(directory, options(testSigner(), { checkpointed: (text) => published.push(text) }));
  t.after(() => log.close());
  await mkdir(join(directory, HISTORY));
  await fill(log, 300);
  await assert.rejects(log.sign());
  assert.deepEqual(published, []);
  await rmdir(join(directory, HISTORY));
  await log.sign();
  assert.deepEqual(log.problems, []);
  assert.equal(parseCheckpoint(published.at(-1) ?? '').size, 300);
  const [, line = ''] = (await readFile(join(directory, HISTORY), 'utf8')).split('\n');
  assert.equal(JSON.parse(line), published.at(-1));
});

test('partial tiles go when theirs is full: of this run, of a run before, and of one that could not sign for long', async (t) => {
  const [directory, signer] = [logDirectory(t), testSigner()];
  let isThere = true;
  const mayBe: LogSigner = {
    sign: async (text) => (isThere ? await signer.sign(text) : undefined),
    journalKey: (origin) => signer.journalKey(origin),
  };
  const open = () => openAuditLog(directory, options(undefined, { signer: mayBe }));
  const partial = async () =>
    (await readdir(join(directory, 'tile'), { recursive: true })).filter((path) => /\.p\/\d+$/.test(path)).sort();
  const first = await open();
  await fill(first, 100);
  await first.sign();
  await fill(first, 300);
  await first.close();
  assert.deepEqual(await partial(), ['0/001.p/44', '1/000.p/1', 'entries/001.p/44']);
  isThere = false;
  const second = await open();
  await fill(second, 1500);
  await assert.rejects(second.sign(), { code: 'AUDIT_UNSIGNED' });
  isThere = true;
  await second.sign();
  assert.deepEqual(await partial(), ['0/005.p/220', '1/000.p/1', '1/000.p/5', 'entries/005.p/220']);
  await second.close();
});
