import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { code, commitOf, never, Watching } from '../../test/operator/watching.ts';
import { giveAcceptance } from '../trust/acceptances.ts';
import type { GitSourceConfig } from './open-git-source.ts';

const run = promisify(execFile);

const PLACES: Record<string, (bench: Watching) => Promise<GitSourceConfig>> = {
  'a path': async ({ tree }) => ({ url: tree.directory }),
  'file://': async ({ tree }) => ({ url: `file://${tree.directory}` }),
  'http://': async (bench) => ({ url: (await bench.serve()).url, allowHttp: true }),
};

for (const [place, configOf] of Object.entries(PLACES)) {
  describe(`a repository at ${place}`, () => {
    test('is taken in commit by commit, kept between runs, and whole for the real git', async (t) => {
      const bench = await Watching.open(t);
      const config = await configOf(bench);
      await bench.tree.commit({ old: 'never needed' });
      const first = await bench.tree.commit({ 'a/one.yaml': 'one', 'b/two.yaml': 'two' });
      const source = await bench.source(config);
      assert.equal(await source.accepted(), undefined);
      assert.equal(await commitOf(source), first);
      assert.equal(await commitOf(source), 'unchanged');
      await bench.tree.commit({ 'a/one.yaml': 'other' });
      const third = await bench.tree.commit({ 'a/one.yaml': 'third' });
      assert.equal(await commitOf(source), third);

      const again = await bench.source(config);
      assert.deepEqual(await again.accepted(), await source.accepted());
      assert.equal(await commitOf(again), 'unchanged');
      const entry = await again.repository.entryAt((await again.accepted())?.tree ?? '', 'a/one.yaml');
      assert.equal(String(await again.repository.readBlob(entry?.oid ?? '')), 'third');
      await bench.gitInClone(source, 'fsck', '--strict', 'refs/coffer/accepted');
      assert.equal(
        await bench
          .gitInClone(source, 'log', '--format=%h', 'refs/coffer/accepted')
          .then((log) => log.split('\n').length),
        3,
      );
    });

    test('that rewinds or replaces its branch is held until a person accepts it or it goes on', async (t) => {
      const bench = await Watching.open(t);
      const first = await bench.tree.commit({ a: '1' });
      const second = await bench.tree.commit({ a: '2' });
      const source = await bench.source(await configOf(bench));
      await source.poll(never);
      await bench.tree.git('reset', '-q', '--hard', first);
      await assert.rejects(source.poll(never), code('SOURCE_REWOUND'));
      const replaced = await bench.tree.commit({ a: '3' });
      await assert.rejects(source.poll(never), code('SOURCE_REWOUND'));
      await assert.rejects(source.poll(never), code('SOURCE_REWOUND'));
      assert.equal((await source.accepted())?.commit, second);

      await bench.tree.git('merge', '-q', '-s', 'ours', '-m', 'both', second);
      assert.equal(await commitOf(source), await bench.tree.git('rev-parse', 'HEAD'));

      await bench.tree.git('reset', '-q', '--hard', replaced);
      await assert.rejects(source.poll(never), code('SOURCE_REWOUND'));
      await giveAcceptance(bench.state, [source.id], replaced);
      assert.equal(await commitOf(source), replaced);
    });

    test('is followed from the commit on that the configuration names, also where nobody signs', async (t) => {
      const bench = await Watching.open(t);
      const unnamed = await bench.tree.commit({ a: '1' });
      const firstCommit = await bench.tree.commit({ a: '2' });
      const named = await bench.tree.commit({ a: '3' });
      const source = await bench.source({ ...(await configOf(bench)), trust: { mode: 'off', firstCommit } });
      await bench.tree.git('reset', '-q', '--hard', unnamed);
      for (let look = 0; look < 2; look++) await assert.rejects(source.poll(never), code('SOURCE_FIRST_COMMIT'));
      assert.equal(await source.accepted(), undefined);
      await bench.tree.git('reset', '-q', '--hard', named);
      assert.equal(await commitOf(source), named);
    });

    test('that is not there, empty, or without the branch says so and keeps what was accepted', async (t) => {
      const bench = await Watching.open(t);
      const source = await bench.source(await configOf(bench));
      await assert.rejects(source.poll(never), code('SOURCE_EMPTY'));
      const first = await bench.tree.commit({ a: '1' });
      assert.equal(await commitOf(source), first);
      await bench.tree.git('branch', '-m', 'trunk');
      await assert.rejects(source.poll(never), code('SOURCE_BRANCH_MISSING'));
      await rename(bench.tree.directory, `${bench.tree.directory}-away`);
      await assert.rejects(source.poll(never), code('SOURCE_MISSING'));
      await rename(`${bench.tree.directory}-away`, bench.tree.directory);
      await bench.tree.git('branch', '-m', 'main');
      assert.equal(await commitOf(source), 'unchanged');
      assert.equal((await source.accepted())?.commit, first);
    });

    test('whose every file is deleted is held', async (t) => {
      const bench = await Watching.open(t);
      await bench.tree.commit({ a: '1' });
      const source = await bench.source(await configOf(bench));
      await source.poll(never);
      await bench.tree.commit({ a: null });
      await assert.rejects(source.poll(never), code('SOURCE_EMPTIED'));
      const back = await bench.tree.commit({ a: '2' });
      assert.equal(await commitOf(source), back);
    });

    test('may hold names that JavaScript finds special', async (t) => {
      const bench = await Watching.open(t);
      await bench.tree.commit({ '__proto__/constructor.yaml': '1', toString: '2' });
      const source = await bench.source(await configOf(bench));
      const { tree } = (await source.poll(never)) as { tree: string };
      assert.notEqual(await source.repository.entryAt(tree, '__proto__/constructor.yaml'), undefined);
      assert.equal(await source.repository.entryAt(tree, 'hasOwnProperty'), undefined);
    });
  });
}

describe('a local repository', () => {
  test('may be packed, borrow objects, be a linked work tree, and be collected at any time', async (t) => {
    const bench = await Watching.open(t);
    await bench.tree.commit({ 'a.yaml': '1' });
    await run('git', ['clone', '-q', '--shared', '--bare', bench.tree.directory, join(bench.root, 'borrowing.git')]);
    const borrowing = await bench.source({ url: join(bench.root, 'borrowing.git') });
    assert.equal(await commitOf(borrowing), await bench.tree.git('rev-parse', 'HEAD'));

    await bench.tree.git('worktree', 'add', '-q', '-b', 'side', join(bench.root, 'linked'));
    const linked = await bench.source({ url: join(bench.root, 'linked') });
    await linked.poll(never);
    for (let i = 0; i < 5; i++) {
      const commit = await bench.tree.commit({ 'a.yaml': `${i}`.repeat(5000), [`b${i}.yaml`]: 'x'.repeat(i) });
      const [got] = await Promise.all([commitOf(linked), bench.tree.git('gc', '-q', '--prune=now')]);
      assert.equal(got, commit);
    }
    await rm(bench.tree.directory, { recursive: true });
    const kept = await linked.repository.entryAt((await linked.accepted())?.tree ?? '', 'a.yaml');
    assert.equal(String(await linked.repository.readBlob(kept?.oid ?? '')), '4'.repeat(5000));
  });

  test('only needs to hold what is watched: a folder and .coffer', async (t) => {
    const bench = await Watching.open(t);
    await bench.tree.commit({ 'clusters/a/x.yaml': '1', 'clusters/b/y.yaml': '2', '.coffer/config.yaml': '3' });
    const source = await bench.source({ url: bench.tree.directory, path: 'clusters/a' });
    const { tree } = (await source.poll(never)) as { tree: string };
    const there = async (path: string): Promise<boolean> => {
      const entry = await source.repository.entryAt(tree, path).catch(() => undefined);
      return entry !== undefined && source.repository.objects.has(entry.oid);
    };
    assert.deepEqual(await Promise.all(['clusters/a/x.yaml', '.coffer/config.yaml', 'clusters/b/y.yaml'].map(there)), [
      true,
      true,
      false,
    ]);
  });

  test('in a format that cannot be read says so', async (t) => {
    const bench = await Watching.open(t);
    await run('git', ['init', '-q', '--object-format=sha256', join(bench.root, 'sha256')]);
    const source = await bench.source({ url: join(bench.root, 'sha256') });
    await assert.rejects(source.poll(never), code('GIT_FORMAT_UNSUPPORTED'));
  });
});

describe('many fetches', () => {
  test('do not leave many packs', async (t) => {
    const bench = await Watching.open(t);
    const source = await bench.source({ url: bench.tree.directory });
    for (let i = 0; i < 40; i++) {
      await bench.tree.commit({ [`${i}.yaml`]: `${i}` });
      await source.poll(never);
    }
    const packs = await readdir(join(bench.state, 'sources', source.id, 'objects', 'pack'));
    assert.ok(packs.length < 40, `${packs.length} files`);
    await bench.gitInClone(source, 'fsck', '--strict', 'refs/coffer/accepted');
  });

  test('whose packs cannot be put together still hand on every commit', async (t) => {
    const bench = await Watching.open(t);
    const source = await bench.source({ url: bench.tree.directory });
    await bench.tree.commit({ first: 'damaged later' });
    await source.poll(never);
    const packs = join(bench.state, 'sources', source.id, 'objects', 'pack');
    const first = (await readdir(packs)).find((name) => name.endsWith('.pack')) ?? '';
    await bench.tree.commit({ second: 'whole' });
    await source.poll(never);
    // Nothing that the next fetches look at is in it.
    await writeFile(join(packs, first), Buffer.alloc((await stat(join(packs, first))).size), { flag: 'r+' });
    let failed = 0;
    for (let i = 0; i < 36; i++) {
      const commit = await bench.tree.commit({ [`${i}.yaml`]: `${i}` });
      const found = await commitOf(source).catch(() => 'failed');
      if (found === 'failed') failed++;
      assert.equal(found === 'failed' ? await commitOf(source) : found, commit);
      assert.equal(await commitOf(source), 'unchanged');
    }
    assert.ok(failed > 0, 'nothing stood in the way');
  });
});
