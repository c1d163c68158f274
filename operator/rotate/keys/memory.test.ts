import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeysStage, look } from '../../../test/rotate/keys-stage.ts';
import { OwnMark } from '../../keys/own-mark.ts';
import { KeyMemories, type KeyMemory } from './memory.ts';

test('nobody ends the grace of a retired key, or names a pending one, by writing the operator’s memory', async (t) => {
  const stage = await KeysStage.open(t);
  const file = join(stage.root, 'key-rotation.json');
  const told: unknown[] = [];
  const memories = () =>
    new KeyMemories(stage.root, undefined, new OwnMark({ store: stage.store, told: (error) => told.push(error) }));
  const kid = stage.production.recipient.keys[0]?.kid ?? '';
  const genuine: KeyMemory = {
    abandoned: [],
    retired: { [kid]: { watched: 5, at: '2026-11-21T10:00:00Z' } },
    told: [],
  };
  await memories().write(genuine);
  assert.deepEqual(await memories().read(), genuine);
  const forged = readFileSync(file, 'utf8').replace('"watched":5', '"watched":1e15');
  writeFileSync(file, forged);
  assert.deepEqual(await memories().read(), { abandoned: [], retired: {}, told: [] });
  assert.equal(told.length, 1);
  const operator = stage.operator();
  assert.deepEqual(await look(operator), []);
  assert.match(String(stage.thrown[0]), /was not written by this operator/);
});

test('without an identity the memory of keys lasts as long as the process', async (t) => {
  const stage = await KeysStage.open(t);
  const mark = new OwnMark({ store: { readIdentity: async () => undefined }, told: () => undefined });
  const memories = new KeyMemories(stage.root, undefined, mark);
  const memory: KeyMemory = { abandoned: [], retired: {}, told: ['x'] };
  await memories.write(memory);
  assert.deepEqual(await memories.read(), memory);
  assert.deepEqual((await new KeyMemories(stage.root, undefined, mark).read()).told, []);
});
