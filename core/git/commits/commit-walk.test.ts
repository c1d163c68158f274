import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WorkTree } from '../../../test/servers/work-tree.ts';
import fc from '../../../test/support/properties.ts';
import { openRepository, type Repository } from '../repository.ts';
import { commitsBetween, isAncestor, mergeBases } from './commit-walk.ts';

/** Compared with what the real git says of the same history. */
let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-walk-'));
});
after(() => rm(root, { recursive: true }));

/** A commit for each row, with these earlier ones as its parents and this many seconds since 1970. */
type History = readonly { parents: readonly number[]; time: number }[];

let count = 0;
async function imported(history: History): Promise<{ tree: WorkTree; commits: string[] }> {
  const tree = await WorkTree.init(join(root, `history-${count++}`));
  const lines = history.flatMap(({ parents, time }, number) => [
    ...(parents.length === 0 ? ['reset refs/heads/all'] : []),
    'commit refs/heads/all',
    `mark :${number + 1}`,
    `committer Ada <ada@example.org> ${time} +0000`,
    'data 1',
    'x',
    ...parents.map((parent, i) => `${i === 0 ? 'from' : 'merge'} :${parent + 1}`),
    `M 100644 inline file${number}\ndata 1\nx`,
  ]);
  const marks = join(tree.directory, 'marks');
  const child = spawn('git', ['-C', tree.directory, 'fast-import', '--quiet', '--force', `--export-marks=${marks}`], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(`${lines.join('\n')}\n`);
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  const rows = (await readFile(marks, 'latin1')).trimEnd().split('\n');
  const named = new Map(rows.map((row) => row.split(' ') as [string, string]));
  const commits = history.map((_, number) => named.get(`:${number + 1}`) ?? '');
  return { tree, commits };
}

const history: fc.Arbitrary<History> = fc
  .array(fc.record({ picks: fc.array(fc.nat(), { maxLength: 3 }), time: fc.integer({ min: 1, max: 2 ** 31 }) }), {
    minLength: 2,
    maxLength: 14,
  })
  .map((rows) =>
    rows.map(({ picks, time }, number) => ({
      parents: number === 0 ? [] : [...new Set(picks.map((pick) => number - 1 - (pick % Math.min(number, 4))))],
      time,
    })),
  );

async function assertNews(repository: Repository, [from, to]: [string, string], expected: string[]): Promise<void> {
  const news = await Array.fromAsync(commitsBetween(repository, { from, to }));
  assert.deepEqual(news.map(({ oid }) => oid).sort(), expected);
  const place = new Map(news.map(({ oid }, at) => [oid, at]));
  for (const { oid, parents } of news) {
    for (const parent of parents) assert.ok((place.get(parent) ?? -1) < (place.get(oid) ?? 0));
  }
}

describe('walks over any history, whatever the dates in it say', () => {
  test('find the ancestors, merge bases and new commits that git finds', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(), async (rows, first, second) => {
        const { tree, commits } = await imported(rows);
        const [a = '', b = ''] = [commits[first % commits.length], commits[second % commits.length]];
        const repository = await openRepository(tree.directory);
        const reached = async (...of: string[]) => (await tree.git('rev-list', ...of)).split('\n').filter(Boolean);
        const [fromA, fromB] = [await reached(a), await reached(b)];
        const common = fromA.filter((oid) => fromB.includes(oid));
        const below = new Set((await Promise.all(common.map((oid) => reached(`${oid}^@`)))).flat());
        for (const known of [[], [a, b]]) {
          // What is asked of commits that were read before is answered in another way.
          for (const oid of known) await repository.graph.load(repository.objects, oid, new Set());
          assert.equal(await isAncestor(repository, a, b), fromB.includes(a));
          assert.deepEqual(await mergeBases(repository, a, b), common.filter((oid) => !below.has(oid)).sort());
          await assertNews(repository, [a, b], fromB.filter((oid) => !fromA.includes(oid)).sort());
        }
        assert.deepEqual(
          (await Array.fromAsync(commitsBetween(repository, { from: undefined, to: b }))).length,
          fromB.length,
        );
        repository.close();
        await rm(tree.directory, { recursive: true });
      }),
      { numRuns: 25 },
    );
  });
});

describe('a long history', () => {
  const LONG = 3000;
  let tree: WorkTree;
  let commits: string[];
  before(async () => {
    // A side branch that left the line early and comes back at its end.
    const rows = Array.from({ length: LONG }, (_, i) => ({ parents: i === 0 ? [] : [i - 1], time: 1_000_000 + i }));
    rows.push({ parents: [5], time: 5 }, { parents: [LONG - 1, LONG], time: 2_000_000 });
    ({ tree, commits } = await imported(rows));
  });

  test('is read only where it is new, as far as the new lies upon the known', async () => {
    const repository = await openRepository(tree.directory);
    const read: string[] = [];
    const reading = repository.objects.read.bind(repository.objects);
    repository.objects.read = (oid) => {
      read.push(oid);
      return reading(oid);
    };
    const [from = '', to = ''] = [commits[LONG - 4], commits[LONG - 1]];
    assert.ok(await isAncestor(repository, from, to));
    const news = await Array.fromAsync(commitsBetween(repository, { from, to }));
    assert.deepEqual(
      news.map(({ oid }) => oid),
      commits.slice(LONG - 3, LONG),
    );
    assert.ok(read.length <= 12, `${read.length} reads`);
  });

  test('is read once for all walks', async () => {
    const repository = await openRepository(tree.directory);
    const to = commits.at(-1) ?? '';
    const from = commits[LONG - 2] ?? '';
    const news = await Array.fromAsync(commitsBetween(repository, { from, to }));
    assert.deepEqual(new Set(news.map(({ oid }) => oid)), new Set(commits.slice(LONG - 1)));
    let reads = 0;
    const reading = repository.objects.read.bind(repository.objects);
    repository.objects.read = (oid) => {
      reads++;
      return reading(oid);
    };
    assert.deepEqual(await mergeBases(repository, commits[LONG] ?? '', from), [commits[5]]);
    assert.equal(await isAncestor(repository, commits[LONG] ?? '', from), false);
    assert.ok(reads < 600, `${reads} reads`);
  });

  test('ends where the clone is shallow, and is an error where it only lacks commits', async () => {
    const bare = join(root, 'shallow.git');
    const to = commits[LONG - 1] ?? '';
    await tree.git('branch', '-f', 'line', to);
    await tree.git('clone', '-q', '--bare', '--depth', '3', '-b', 'line', `file://${tree.directory}`, bare);
    const repository = await openRepository(bare);
    const news = await Array.fromAsync(commitsBetween(repository, { from: undefined, to }));
    assert.deepEqual(
      news.map(({ oid }) => oid),
      commits.slice(LONG - 3, LONG),
    );
    assert.equal(await isAncestor(repository, commits[0] ?? '', to), false);
    await writeFile(join(bare, 'shallow'), '');
    const torn = await openRepository(bare);
    await assert.rejects(isAncestor(torn, commits[0] ?? '', to), { code: 'GIT_OBJECT_MISSING' });
    await assert.rejects(Array.fromAsync(commitsBetween(torn, { from: undefined, to })), {
      code: 'GIT_OBJECT_MISSING',
    });
  });
});
