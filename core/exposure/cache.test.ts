import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ring, Story, sealedTo } from '../../test/exposure/story.ts';
import fc from '../../test/support/properties.ts';
import type { Node } from '../../test/trust/history.ts';
import { ExposureCache } from './cache.ts';
import { type CommitFacts, HistoryFacts } from './history-facts.ts';
import { orderOf } from './topological-order.ts';

const NOTHING: ReadonlySet<string> = new Set();

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coffer-exposure-'));
});
after(() => rm(folder, { recursive: true }));

/** What a commit does to one of three files, and upon which commits it stands. */
const step = fc.record({
  file: fc.integer({ min: 0, max: 2 }),
  value: fc.integer({ min: 0, max: 3 }),
  to: fc.subarray(['production', 'laptop', 'dev'], { minLength: 1 }),
  ring: fc.constantFrom(undefined, 'active', 'revoked', null),
  parents: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
});
type Step = typeof step extends fc.Arbitrary<infer Made> ? Made : never;

function changesOf({ file, value, to, ring: status }: Step): Record<string, string | null> {
  const text = sealedTo(
    { password: [`k${file}${value}`, `v${value}`] },
    { [`k${file}${value}`]: to },
    { name: `db-${file}` },
  );
  const keyring: Record<string, string | null> = status === null ? { '.coffer/recipients/laptop.yaml': null } : {};
  return {
    [`${file}.yaml`]: value === 0 ? null : text,
    ...keyring,
    ...(status === undefined || status === null ? {} : ring('laptop', { laptop: status })),
  };
}

test('a second run that reads only what is new tells what one run over all tells, whatever the history', async (t) => {
  const story = await Story.begin(t);
  const property = fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 14 }), async (steps) => {
    const start = story.commit(
      [],
      ring('dev', { dev: 'active' }, { type: 'group', seeds: { dev: { laptop: 'laptop' } } }),
    );
    const nodes: Node[] = [start];
    for (const one of steps) {
      const parents = [
        ...new Set(
          one.parents.map((parent) => nodes[nodes.length - 1 - (parent % Math.min(3, nodes.length))] ?? start),
        ),
      ];
      nodes.push(story.commit(parents, changesOf(one)));
    }
    await story.history.write();
    const tips = nodes.slice(-3);
    const [half = start, head = start] = [nodes[Math.floor(nodes.length / 2)], nodes.at(-1)];
    const file = join(folder, 'steps');
    await rm(file, { force: true });
    for (const upTo of [half, ...tips]) {
      const cache = await ExposureCache.open(file, NOTHING);
      await story.report(upTo, {}, cache.records);
      assert.equal(await cache.save(), true);
    }
    const loaded = await ExposureCache.open(file, NOTHING);
    const known = loaded.records.commits.length;
    const [steady, fresh] = [
      await story.report(head, { heads: tips }, loaded.records),
      await story.report(head, { heads: tips }, new HistoryFacts()),
    ];
    assert.equal(loaded.records.commits.length, known, 'nothing was read again');
    assert.deepEqual(steady, fresh);
  });
  await fc.assert(property, { numRuns: 15 });
});

describe('the file of what was read', () => {
  test('counts as far as it is whole: torn or changed at any byte it is read again, and never believed', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], {
      ...ring('laptop', { laptop: 'revoked' }),
      'a.yaml': sealedTo({ a: ['k1', 'v1'] }, { k1: ['laptop'] }),
    });
    const second = story.commit([first], { 'a.yaml': sealedTo({ a: ['k2', 'v2'] }, { k2: ['laptop'] }) });
    await story.history.write();
    const expected = await story.report(second);
    const file = join(folder, 'torn');
    for (const head of [first, second]) {
      const cache = await ExposureCache.open(file, NOTHING);
      await story.report(head, {}, cache.records);
      await cache.save();
    }
    const whole = await readFile(file);
    for (let at = 0; at < whole.length; at += 37) {
      await writeFile(file, whole);
      if (at % 2 === 0) await truncate(file, at);
      else await writeFile(file, whole.with(at, (whole[at] ?? 0) ^ 1));
      const cache = await ExposureCache.open(file, NOTHING);
      assert.deepEqual(await story.report(second, {}, cache.records), expected, `${at}`);
      await cache.save();
      assert.deepEqual((await ExposureCache.open(file, NOTHING)).records.commits, cache.records.commits);
    }
  });

  test('is of one cut of the history: when more of it was fetched, it is begun anew', async (t) => {
    const story = await Story.begin(t);
    const head = story.commit([], { 'a.yaml': sealedTo({ a: ['k1', 'v1'] }, { k1: ['laptop'] }) });
    await story.history.write();
    const file = join(folder, 'cut');
    const cache = await ExposureCache.open(file, new Set([head.oid]));
    await story.report(head, {}, cache.records);
    await cache.save();
    assert.equal((await ExposureCache.open(file, new Set([head.oid]))).records.commits.length, 1);
    assert.equal((await ExposureCache.open(file, NOTHING)).records.commits.length, 0);
  });

  test('that cannot be written is no reason to give no answer, and is not tried again at each commit', async () => {
    const place = join(folder, 'a-file');
    await writeFile(place, '');
    let now = 0;
    const cache = await ExposureCache.open(join(place, 'exposure'), NOTHING, { now: () => now });
    cache.records.path('a');
    assert.equal(await cache.save(), false);
    await rm(place);
    assert.equal(await cache.save(), false);
    now = 3_600_000;
    assert.equal(await cache.save(), true);
    assert.deepEqual((await ExposureCache.open(join(place, 'exposure'), NOTHING)).records.paths, ['a']);
  });

  test('is written and read block by block, with turns for others: what was written before it was interrupted counts', async (t) => {
    const file = join(folder, 'turns');
    const cache = await ExposureCache.open(file, NOTHING);
    for (let number = 0; number < 10_000; number++) cache.records.path(`${number}`);
    // Each look at the clock is a turn.
    let clock = 0;
    t.mock.method(performance, 'now', () => (clock += 1000));
    const interrupted = AbortSignal.abort(new Error('closing'));
    await assert.rejects(cache.save(interrupted), /closing/);
    const saved = (await ExposureCache.open(file, NOTHING)).records.paths.length;
    assert.ok(saved > 0 && saved < 10_000, `${saved}`);
    assert.equal(await cache.save(), true);
    await assert.rejects(ExposureCache.open(file, NOTHING, { signal: interrupted }), /closing/);
    assert.equal((await ExposureCache.open(file, NOTHING)).records.paths.length, 10_000);
  });
});

test('commits are in the order of their ancestry, then of the times that they claim; a false one moves no more than itself', () => {
  const commit = (oid: string, time: number, parents: number[]): CommitFacts => {
    return { oid, time, parents, author: { name: '', email: '' }, committer: { name: '', email: '' }, changes: [] };
  };
  const commits = [
    commit('root', 10, []),
    commit('ahead', 9_999_999_999, [0]),
    commit('after', 20, [1]),
    commit('other', 15, [0]),
    commit('late', 30, [3]),
    commit('behind', 1, [4]),
    commit('unreached', 5, [0]),
  ];
  const names = (heads: number[]) => orderOf(commits, heads).map((number) => commits[number]?.oid);
  assert.deepEqual(names([2, 5]), ['root', 'other', 'late', 'behind', 'ahead', 'after']);
  assert.deepEqual(names([5, 2, 2]), names([2, 5]));
});
