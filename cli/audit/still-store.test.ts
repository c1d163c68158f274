import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stillStore } from './still-store.ts';

test('a log that goes on being written is copied as far as it was verified', async () => {
  const files = new Map([
    ['checkpoint', 'of 54'],
    ['checkpoints', 'of 0'],
    ['tile/0/000.p/54', 'hashes'],
  ]);
  const store = {
    place: 'log',
    read: async (path: string) => (files.has(path) ? Buffer.from(files.get(path) ?? '') : undefined),
  };
  const still = stillStore(store);
  const read = async (path: string) => String(await still.read(path, 100));
  assert.deepEqual([await read('checkpoint'), await read('checkpoints')], ['of 54', 'of 0']);
  files.set('checkpoint', 'of 57').set('checkpoints', 'of 256').set('tile/0/000.p/57', 'more');
  assert.deepEqual([await read('checkpoint'), await read('checkpoints')], ['of 54', 'of 0']);
  assert.equal(await read('tile/0/000.p/57'), 'more');
});
