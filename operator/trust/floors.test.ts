import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { newNamespace, sharedCluster } from '../../test/cluster/shared.ts';
import { connectTo } from '../../test/kubernetes/scene/connect.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { type KubeObject, RESOURCES } from '../kubernetes/resource.ts';
import { FloorMap } from './floor-map.ts';
import { type Floor, FloorFile, type FloorStore, Floors } from './floors.ts';

function floor(source: string, digit: string, generation: number, more: Partial<Floor> = {}): Floor {
  return {
    ...{ source, address: 'https://git.example/s.git', follows: 'main', path: '', basis: 'signed' },
    ...{
      commit: digit.repeat(40),
      outstanding: [],
      held: { 'a.yaml': null },
      time: '2026-01-01T00:00:00.000Z',
      generation,
    },
    ...more,
  };
}

test('of several places the newest floor counts, and floors of other folders of the same branch are known', async (t) => {
  const directory = onDisk(t);
  const old: FloorStore = {
    read: async () => [floor('a', '1', 1), floor('b', '3', 1, { path: 'b' })],
    write: async (one) => one,
  };
  await new FloorFile(directory).write(floor('a', '2', 2));
  await new FloorFile(directory).write(floor('c', '4', 3, { follows: 'other' }));
  const floors = await Floors.open([old, new FloorFile(directory)]);
  assert.equal(floors.of('a')?.commit, '2'.repeat(40));
  const beside = floors.besides({ source: 'a', address: 'https://git.example/s.git', follows: 'main' });
  assert.deepEqual(
    beside.map(({ source }) => source),
    ['b'],
  );
});

test('a place that cannot be written is written at a later look, with the newest by then', async () => {
  const written: string[] = [];
  let isDown = true;
  const store: FloorStore = {
    read: async () => [],
    write: async (one) => {
      if (isDown) throw new CofferError('KUBERNETES_UNREACHABLE', 'down', { advice: 'Wait.' });
      written.push(one.commit.slice(0, 1));
      return one;
    },
  };
  const floors = await Floors.open([store]);
  await floors.keep(floor('a', '1', 1));
  await floors.keep(floor('a', '2', 2));
  assert.equal(floors.trouble?.code, 'KUBERNETES_UNREACHABLE');
  isDown = false;
  await floors.settle();
  await floors.settle();
  assert.deepEqual([written, floors.trouble], [['2'], undefined]);
});

test('a file that was damaged stops the operator: nobody may forget what was accepted', async (t) => {
  const directory = onDisk(t);
  for (const text of ['{', '[{}]', '"x"', `[${JSON.stringify({ ...floor('a', '1', 1), commit: 'x' })}]`]) {
    writeFileSync(join(directory, 'accepted.json'), text);
    await assert.rejects(Floors.open([new FloorFile(directory)]), (error) => {
      assert.ok(error instanceof CofferError);
      return error.code === 'TRUST_MEMORY_DAMAGED' && error.loop === 'stop';
    });
  }
});

test('the ConfigMap coffer-accepted keeps a key for each source, and forgets the oldest of very many', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster);
  const client = await connectTo(t, cluster.kubeconfig, { namespace });
  const map = new FloorMap(client, new Set(['s8']));
  assert.deepEqual(await map.read(), []);
  await map.write(floor('a', '1', 1));
  await map.write(floor('b', '2', 2));
  await map.write(floor('a', '3', 3));
  const commits = async () => (await map.read()).map(({ source, commit }) => `${source}${commit.slice(0, 1)}`).sort();
  assert.deepEqual(await commits(), ['a3', 'b2']);
  const name = { namespace, name: 'coffer-accepted' };
  const many = Array.from({ length: 200 }, (_, index) =>
    floor(`s${index}`, '4', 5, index === 7 || index === 8 ? { time: `202${12 - index}-01-01T00:00:00.000Z` } : {}),
  );
  const data = Object.fromEntries(many.map((one) => [one.source, JSON.stringify(one)]));
  await client.patch(RESOURCES.configMaps, name, { data: { ...data, b: null, junk: '{' } }, { type: 'merge' });
  await map.write(floor('a', '5', 6));
  const kept = (await client.get<KubeObject & { data: object }>(RESOURCES.configMaps, name))?.data ?? {};
  assert.deepEqual([Object.keys(kept).length, 'junk' in kept, 's7' in kept, 's8' in kept], [200, false, false, true]);
  assert.ok((await commits()).includes('a5'));
});

test('writes that meet take turns: none is lost, and a slow one does not end above a newer', async (t) => {
  const directory = onDisk(t);
  const slow = Promise.withResolvers<void>();
  const written: string[] = [];
  const store: FloorStore = {
    read: async () => [],
    write: async (one) => {
      if (one.commit.startsWith('1')) await slow.promise;
      written.push(`${one.source}${one.commit.slice(0, 1)}`);
      return one;
    },
  };
  const floors = await Floors.open([store, new FloorFile(directory)]);
  const first = floors.keep(floor('a', '1', 1));
  const others = Array.from({ length: 8 }, (_, index) => floors.keep(floor(`s${index}`, '3', 1)));
  const second = floors.keep(floor('a', '2', 2));
  slow.resolve();
  await Promise.all([first, second, ...others]);
  assert.equal(written.filter((one) => one.startsWith('a')).at(-1), 'a2');
  const again = await Floors.open([new FloorFile(directory)]);
  assert.equal(again.of('a')?.generation, 2);
  assert.equal(Array.from({ length: 8 }, (_, index) => again.of(`s${index}`)).filter(Boolean).length, 8);
});
