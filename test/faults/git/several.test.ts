import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena, type Team } from './arena.ts';
import { deltaOf, type Entry, objectsOf, packOf, withPack, zeros } from './hostile-pack.ts';
import { assertReady, Probe, peakMemory, untilNoneIsLeft } from './observed.ts';

const HOSTILE = 5;
const MEBIBYTE = 2 ** 20;
/** Just within what is taken of one object. */
const SIZE = 120;
/** Of the whole process, in MiB: one such intake takes some 450, each that held its objects beside it 120 more. */
const MEMORY = 750;

/** As large as is taken: a file of nothing, and two that differ from it by a letter each. */
function large(): Entry[] {
  const size = SIZE * MEBIBYTE;
  const pieces: { copy: number; length: number }[] = [];
  for (let at = 1; at < size; at += 0xffffff) pieces.push({ copy: at, length: Math.min(size - at, 0xffffff) });
  const delta = (letter: string) => deltaOf(size, size, [{ insert: letter }, ...pieces]);
  return [
    { type: 'blob', bytes: Buffer.alloc(0), size, deflated: zeros(SIZE) },
    ...['a', 'b'].map((letter, n): Entry => ({ type: 'by offset', base: n + 1, bytes: delta(letter) })),
  ];
}

test(`${HOSTILE} servers send packs that use all limits to the full, at the same time: memory is that of one`, async (t) => {
  const arena = await Arena.open(t);
  const teams = await Promise.all(Array.from({ length: HOSTILE }, (_, n) => arena.team(`hostile-${n}`)));
  arena.site.configure({
    sources: teams.map(({ url }) => ({ git: { allowHttp: true, interval: '1h', timeout: '10m', url } })),
  });
  const extra = large();
  const spoil = async (team: Team) => {
    const pack = packOf([...(await objectsOf(team.tree)), ...extra]);
    team.fault({ kind: 'spoil', of: 'pack', change: (answer) => withPack(answer, pack) });
  };
  await Promise.all(teams.map(spoil));
  const operator = await arena.site.start();
  const alive = new Probe(t, operator, '/healthz');
  await untilNoneIsLeft(operator, () => teams.filter(({ name }) => arena.value(name) !== 'old').length);
  for (const { name } of teams) assert.equal(arena.value(name), 'old', operator.output);
  await assertReady(operator);
  assert.deepEqual((await alive.end()).failures, []);
  const peak = peakMemory(operator);
  t.diagnostic(`at most ${Math.round(peak)} MiB`);
  assert.ok(peak < MEMORY, `${peak} MiB`);
  await arena.endWithoutTrace(operator);
});
