import assert from 'node:assert/strict';
import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fill, logDirectory, options } from '../../../test/audit/written-log.ts';
import { testSigner } from '../../../test/support/log-signer.ts';
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
