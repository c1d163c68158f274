import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import type { LogStore } from '../../core/audit/store.ts';
import { CofferError } from '../../core/errors.ts';
import { logDirectory, writtenLog } from '../../test/audit/written-log.ts';
import { openLogs } from './open-logs.ts';
import { verifyLogs } from './verify-logs.ts';
import { writeBundle } from './write-bundle.ts';

const RANGE = { from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' };

async function scene(t: TestContext) {
  const { directory, signer, origin } = await writtenLog(t, 300);
  const identities = { of: () => ({ key: signer.publicKey, text: 'coffer-identity-1-x', from: '' }) };
  const folder = join(logDirectory(t), 'october');
  const { logs: reports } = await verifyLogs(await openLogs([directory]), identities);
  const write = (store: LogStore) =>
    writeBundle(folder, [{ store, origin, cluster: 'production' }], reports, identities, RANGE);
  return { folder, part: `${folder}.part`, store: new DirectoryStore(directory), write };
}

test('a bundle is there when it is whole: an interrupted one opens as none, and the next run begins anew', async (t) => {
  const { folder, part, store, write } = await scene(t);
  const broken: LogStore = {
    place: store.place,
    read: async (path, limit) => {
      if (path === 'tile/entries/001.p/44') throw new CofferError('AUDIT_URL', 'Gone.', { advice: 'Try again.' });
      return await store.read(path, limit);
    },
  };
  await assert.rejects(write(broken), { code: 'AUDIT_URL' });
  assert.deepEqual([existsSync(folder), readdirSync(part)], [false, ['logs']]);
  await assert.rejects(openLogs([part]), { code: 'AUDIT_NO_LOG' });
  await write(store);
  assert.deepEqual([existsSync(part), readdirSync(folder).sort()], [false, ['README.md', 'bundle.json', 'logs']]);
  assert.equal((await openLogs([folder])).length, 1);
});

test('nothing that is there already is written to or removed', async (t) => {
  const { folder, part, store, write } = await scene(t);
  mkdirSync(part);
  writeFileSync(join(part, 'thesis'), 'mine');
  await assert.rejects(write(store), { code: 'EEXIST' });
  assert.deepEqual([existsSync(folder), readdirSync(part)], [false, ['thesis']]);
  mkdirSync(folder);
  await assert.rejects(write(store), { code: 'EEXIST' });
});
