import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onDisk } from '../../../../test/operator/tmpfs.ts';
import { OwnMark } from '../../../keys/own-mark.ts';
import { RotationMemory } from './rotation-memory.ts';
import { RotationStore } from './rotation-store.ts';

const IDENTITY = 'i'.repeat(32);

test('since when values are there begins anew where it cannot be read, and that is said; nothing stops', async (t) => {
  const directory = onDisk(t);
  const readIdentity = async () => Buffer.from(IDENTITY);
  const mark = new OwnMark({ store: { readIdentity }, told: assert.fail });
  const store = new RotationStore(directory, undefined);
  const first = await RotationMemory.open(store, mark, assert.fail);
  first.seen.set('source payments/db password', ['digest', '2026-01-01T00:00:00.000Z']);
  await first.keepSeen();
  assert.deepEqual((await RotationMemory.open(store, mark, assert.fail)).seen, first.seen);
  // As another version of this operator may have written it.
  await store.write('seen', (await mark.mark('rotation seen', '{"of another":"shape"}\n')) ?? '');
  const told: string[] = [];
  const second = await RotationMemory.open(store, mark, ({ message }) => void told.push(message));
  assert.equal(second.seen.size, 0);
  assert.match(told.join(), /cannot be read, and is begun anew/);
});
