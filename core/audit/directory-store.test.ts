import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writtenLog } from '../../test/audit/written-log.ts';
import { DirectoryStore } from './directory-store.ts';
import { ENTRY_TILE_LIMIT, entriesIn } from './entry-tile.ts';
import { proveRecord } from './prove.ts';

test('every tile of every tree that was ever signed is served, narrower ones out of wider ones', async (t) => {
  const { directory } = await writtenLog(t, 3, 100, 200, 300, 310);
  const store = new DirectoryStore(directory);
  for (const [path, width] of [
    ['tile/entries/000.p/3', 3],
    ['tile/entries/000.p/200', 200],
    ['tile/entries/001.p/44', 44],
    ['tile/entries/001.p/54', 54],
  ] as const)
    assert.equal(entriesIn((await store.read(path, ENTRY_TILE_LIMIT)) ?? Buffer.alloc(0))?.length, width, path);
  const whole = (await store.read('tile/0/000', ENTRY_TILE_LIMIT)) ?? assert.fail();
  assert.deepEqual(await store.read('tile/0/000.p/100', ENTRY_TILE_LIMIT), whole.subarray(0, 3200));
  for (const path of ['tile/entries/001.p/55', 'tile/entries/002.p/1', 'tile/1/000.p/2', 'tile/0/001'])
    assert.equal(await store.read(path, ENTRY_TILE_LIMIT), undefined, path);
});

test('nothing beside the layout is read, and no file that is larger than any of ours', async (t) => {
  const { directory } = await writtenLog(t, 3);
  const store = new DirectoryStore(directory);
  mkdirSync(join(directory, 'sub'));
  writeFileSync(join(directory, 'sub/secret'), 'x');
  for (const path of [
    'reserve',
    'sub/secret',
    '../x',
    'tile/../origin',
    'tile/entries/000.p/3/../../../../origin',
    '/etc/passwd',
    '',
  ])
    assert.equal(await store.read(path, 1e9), undefined, path);
  await assert.rejects(store.read('journal', 10), { code: 'AUDIT_TOO_LARGE' });
});

test('what is missing or wrong of a log proves nothing', async (t) => {
  const { directory } = await writtenLog(t, 600);
  const store = new DirectoryStore(directory);
  await proveRecord(store, 300);
  for (const number of [0, 601, 1.5])
    await assert.rejects(proveRecord(store, number), { code: 'AUDIT_RECORD_UNKNOWN' });
  writeFileSync(join(directory, 'tile/0/000'), Buffer.alloc(8192));
  await assert.rejects(proveRecord(store, 10), { code: 'AUDIT_PROOF_INVALID' });
  rmSync(join(directory, 'tile/0/000'));
  await assert.rejects(proveRecord(store, 10), { code: 'AUDIT_TILE_MISSING' });
  rmSync(join(directory, 'tile/entries/001'));
  await assert.rejects(proveRecord(store, 300), { code: 'AUDIT_RECORD_UNKNOWN' });
});
