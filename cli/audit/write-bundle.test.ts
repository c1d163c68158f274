import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  const writeTwice = (store: LogStore) => {
    const log = { store, origin, cluster: 'production' };
    return writeBundle(folder, [log, { ...log }], reports, identities, RANGE);
  };
  return {
    folder,
    beside: () => readdirSync(dirname(folder)),
    store: new DirectoryStore(directory),
    write,
    writeTwice,
  };
}

test('a bundle is there when it is whole: what is under way opens as none, and what fails leaves nothing', async (t) => {
  const { folder, beside, store, write } = await scene(t);
  let [under, opened]: [string[], unknown] = [[], undefined];
  const broken: LogStore = {
    place: store.place,
    read: async (path, limit) => {
      if (path === 'tile/entries/001.p/44') {
        under = beside();
        opened = await openLogs([join(dirname(folder), under[0] ?? '')]).catch(({ code }) => code);
        throw new CofferError('AUDIT_URL', 'Gone.', { advice: 'Try again.' });
      }
      return await store.read(path, limit);
    },
  };
  await assert.rejects(write(broken), { code: 'AUDIT_URL' });
  assert.match(under.join(), /^october\.part-[^,]+$/);
  assert.deepEqual([opened, beside()], ['AUDIT_NO_LOG', []]);
  await write(store);
  assert.deepEqual([beside(), readdirSync(folder).sort()], [['october'], ['README.md', 'bundle.json', 'logs']]);
  assert.equal((await openLogs([folder])).length, 1);
});

test('nothing that is there already is written to or removed', async (t) => {
  const { folder, beside, store, write, writeTwice } = await scene(t);
  await assert.rejects(writeTwice(store), { code: 'USAGE', exit: 2 });
  assert.deepEqual(beside(), []);
  mkdirSync(join(`${folder}.part`, 'logs'), { recursive: true });
  await write(store);
  assert.deepEqual([beside().sort(), readdirSync(`${folder}.part`)], [['october', 'october.part'], ['logs']]);
  await assert.rejects(write(store), { code: 'EEXIST' });
  assert.deepEqual(beside().sort(), ['october', 'october.part']);
});
