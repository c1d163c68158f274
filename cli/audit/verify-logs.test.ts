import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import { checkpointText } from '../../core/audit/note/checkpoint.ts';
import { noteOf } from '../../core/audit/note/signed-note.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import { fill, logDirectory, options, writtenLog } from '../../test/audit/written-log.ts';
import { testSigner } from '../../test/support/log-signer.ts';
import type { OpenedLog } from './open-logs.ts';
import { verifyLogs } from './verify-logs.ts';

test('logs that have seen each other are read once each, and what each has seen counts', async (t) => {
  const { directory, signer, origin, checkpoints } = await writtenLog(t, 600, 700, 1000);
  const other = logDirectory(t);
  const writer = await openAuditLog(other, options(signer));
  // One of them is of somebody else, who wrote it where checkpoints are published.
  const forged = checkpointText({ origin, size: 2000, root: Buffer.alloc(32) });
  const { publicKey, signature } = (await testSigner().sign(Buffer.from(forged))) ?? assert.fail();
  const seen = [...checkpoints, noteOf(forged, origin, publicKey, signature)];
  await writer.append(seen.map((checkpoint) => ({ event: 'log.witnessed', origin, checkpoint })));
  await fill(writer, 400);
  await writer.sign();
  const again = await openAuditLog(directory, options(signer));
  await again.append([{ event: 'log.witnessed', origin: writer.origin, checkpoint: writer.checkpoint ?? '' }]);
  await fill(writer, 500);
  await Promise.all([again.close(), writer.close()]);

  const reads = new Map<string, number>();
  const opened = (place: string, name: string): OpenedLog => {
    // What it holds is held against tiles once more.
    rmSync(join(place, 'journal'));
    const store = new DirectoryStore(place);
    const read = (path: string, limit: number) => {
      reads.set(`${name} ${path}`, (reads.get(`${name} ${path}`) ?? 0) + 1);
      return store.read(path, limit);
    };
    return { store: { place, read }, origin: name, cluster: 'production' };
  };
  const logs = [opened(directory, origin), opened(other, writer.origin)];
  const identities = { of: () => ({ key: signer.publicKey, text: '', from: '' }) };
  const verified = await verifyLogs(logs, identities);
  assert.deepEqual([verified.findings, ...verified.logs.map(({ findings }) => findings)], [[], [], []]);
  const sizes = verified.logs.map(({ size, checkpoints: count }) => [size, count >= (size === 500 ? 2 : 4)]);
  assert.deepEqual(sizes, [
    [1001, true],
    [500, true],
  ]);
  // Beside the tiles at whose middle a checkpoint ends.
  for (const path of [`${origin} tile/entries/000`, `${origin} tile/entries/001`, `${writer.origin} tile/entries/000`])
    assert.equal(reads.get(path), 1, path);
});
