import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Reaching } from '../../../test/operator/reaching.ts';
import { code, never, Watching } from '../../../test/operator/watching.ts';

const run = promisify(execFile);

async function logOf({ clone }: Reaching): Promise<string[]> {
  const args = ['--git-dir', clone.directory, 'log', '--reverse', '--format=%H', 'refs/coffer/accepted'];
  return (await run('git', ['-c', 'safe.directory=*', ...args])).stdout.trim().split('\n');
}

describe('a repository on this machine', () => {
  test('gives the newest commit alone, then what follows, and the whole history once that is asked for', async (t) => {
    const { root, tree } = await Watching.open(t);
    const commits = [await tree.commit({ a: '1' }), await tree.commit({ a: '2' })];
    const reaching = await Reaching.open(t, { root }, { url: tree.directory });
    await reaching.take(never);
    assert.deepEqual(await logOf(reaching), commits.slice(-1));
    commits.push(await tree.commit({ a: '3' }), await tree.commit({ a: '4' }));
    await reaching.take(never);
    assert.deepEqual(await logOf(reaching), commits.slice(1));
    commits.push(await tree.commit({ a: '5' }));
    await reaching.take(never, true);
    assert.deepEqual(await logOf(reaching), commits);
    await run('git', ['-c', 'safe.directory=*', '--git-dir', reaching.clone.directory, 'fsck', '--strict']);
  });

  test('is followed to the highest tag that matches, loose or packed, with the tag object itself', async (t) => {
    const { root, tree } = await Watching.open(t);
    const reaching = await Reaching.open(t, { root }, { url: tree.directory, tag: 'release/*' });
    await tree.commit({ a: '1' });
    await assert.rejects(reaching.remote.head(never), code('SOURCE_TAG_MISSING'));
    await tree.git('tag', 'release/9');
    await tree.git('tag', 'other/99');
    const first = await reaching.take(never);
    assert.deepEqual(first, { commit: await tree.git('rev-parse', 'release/9'), ref: 'refs/tags/release/9' });
    const commit = await tree.commit({ a: '2' });
    await tree.git('tag', '-m', 'a release', 'release/10');
    await tree.git('pack-refs', '--all');
    await tree.git('tag', 'release/8');
    const tag = await tree.git('rev-parse', 'release/10');
    const head = await reaching.remote.head(never);
    assert.deepEqual(head, { commit, tag, ref: 'refs/tags/release/10' });
    await reaching.fetch(head, never, false, ({ repository }) => {
      repository.objects.refresh();
      assert.equal(repository.objects.read(tag).type, 'tag');
    });
  });
});
