import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { CofferError } from '../../../core/errors.ts';
import { Reaching, Servers, type Way } from '../../../test/operator/reaching.ts';
import { code, never } from '../../../test/operator/watching.ts';
import type { Cut } from '../../../test/servers/tcp-relay.ts';
import type { WorkTree } from '../../../test/servers/work-tree.ts';

const run = promisify(execFile);
const WAYS: readonly Way[] = ['http', 'ssh'];
/** Shares of what a server sends: greeting and handshake, list of refs, pack. */
const STAGES: Record<Way, readonly number[]> = { http: [0, 0.01, 0.2, 0.9], ssh: [0, 0.05, 0.3, 0.7] };

let servers: Servers;
before(async () => {
  servers = await Servers.start();
});
after(() => servers.close());

async function logOf({ clone }: Reaching): Promise<string[]> {
  const args = ['--git-dir', clone.directory, 'log', '--format=%H', 'refs/coffer/accepted'];
  return (await run('git', ['-c', 'safe.directory=*', ...args])).stdout.trim().split('\n');
}

async function fsck({ clone }: Reaching): Promise<void> {
  await run('git', [
    '-c',
    'safe.directory=*',
    '--git-dir',
    clone.directory,
    'fsck',
    '--strict',
    'refs/coffer/accepted',
  ]);
}

for (const way of WAYS) {
  describe(`history over ${way}`, () => {
    test('comes as the newest commit alone, then what follows, and as a whole once that is asked for', async (t) => {
      const tree = await servers.tree();
      const commits = [await tree.commit({ a: '1' }), await tree.commit({ a: '2' })];
      const reaching = await Reaching.open(t, servers, servers.configOf(way, tree));
      await reaching.take(never);
      assert.deepEqual(await logOf(reaching), commits.slice(-1));
      commits.push(await tree.commit({ a: '3' }), await tree.commit({ a: '4' }));
      await reaching.take(never);
      assert.deepEqual((await logOf(reaching)).reverse(), commits.slice(1));
      commits.push(await tree.commit({ a: '5' }));
      await reaching.take(never, true);
      assert.deepEqual((await logOf(reaching)).reverse(), commits);
      await fsck(reaching);
    });

    test('comes whole at once where that is asked for', async (t) => {
      const tree = await servers.tree();
      await tree.commit({ a: '1' });
      await tree.commit({ a: '2' });
      const reaching = await Reaching.open(t, servers, servers.configOf(way, tree));
      await reaching.take(never, true);
      assert.equal((await logOf(reaching)).length, 2);
    });

    test('of one changed file brings neither the others nor their folder’s list', async (t) => {
      const tree = await servers.tree();
      const many = Array.from({ length: 600 }, (_, i) => [`folder/${i}.yaml`, `${i}`]);
      await tree.commit(Object.fromEntries(many));
      const reaching = await Reaching.open(t, servers, servers.configOf(way, tree));
      await reaching.take(never);
      await tree.commit({ 'folder/7.yaml': 'changed' });
      const before = servers.relays[way].received;
      await reaching.take(never);
      const bytes = servers.relays[way].received - before;
      assert.ok(bytes < 8000, `${bytes} bytes`);
      await fsck(reaching);
    });

    test('that is replaced between a look and its fetch is looked at again', async (t) => {
      const tree = await servers.tree();
      await tree.commit({ a: '1' });
      const reaching = await Reaching.open(t, servers, servers.configOf(way, tree));
      const head = await reaching.remote.head(never);
      await tree.git('commit', '-q', '--amend', '-m', 'other');
      await tree.git('reflog', 'expire', '--expire=now', '--all');
      await tree.git('gc', '-q', '--prune=now');
      await assert.rejects(reaching.fetch(head, never), code('SOURCE_MOVED'));
      await reaching.take(never);
    });
  });

  describe(`tags over ${way}`, () => {
    test('are followed to the highest version that matches, with the tag object itself', async (t) => {
      const tree = await servers.tree();
      const reaching = await Reaching.open(t, servers, servers.configOf(way, tree, { tag: 'v*' }));
      await tree.commit({ a: '1' });
      await assert.rejects(reaching.remote.head(never), code('SOURCE_TAG_MISSING'));
      await tree.git('tag', 'v1.9');
      await tree.git('tag', 'w2');
      const first = await reaching.take(never);
      assert.deepEqual(first, { commit: await tree.git('rev-parse', 'v1.9'), ref: 'refs/tags/v1.9' });
      await tree.commit({ a: '2' });
      await tree.git('tag', '-m', 'a release', 'v1.10');
      await tree.git('tag', '-m', 'a candidate', 'v1.11-rc.1', 'v1.9');
      await tree.git('tag', '-d', 'v1.11-rc.1');
      const head = await reaching.remote.head(never);
      const [tag, commit] = [await tree.git('rev-parse', 'v1.10'), await tree.git('rev-parse', 'v1.10^{commit}')];
      assert.deepEqual(head, { commit, tag, ref: 'refs/tags/v1.10' });
      await reaching.fetch(head, never, false, ({ repository }) => {
        assert.equal(repository.objects.read(tag).type, 'tag');
      });
    });
  });

  describe(`a connection over ${way} that breaks`, () => {
    const WAYS_TO_BREAK: Record<string, { how: Cut['how']; expected: RegExp }> = {
      'by a reset': { how: 'reset', expected: /^SOURCE_(UNREACHABLE|INCOMPLETE|UNAVAILABLE)$/ },
      'by its end': { how: 'end', expected: /^SOURCE_(UNREACHABLE|INCOMPLETE|UNAVAILABLE)$/ },
      'by silence': { how: 'freeze', expected: /^SOURCE_SILENT$/ },
    };
    for (const [what, { how, expected }] of Object.entries(WAYS_TO_BREAK)) {
      test(`${what}, at every stage, leaves the old state, and the next fetch succeeds`, async (t) => {
        const relay = servers.relays[way];
        t.after(() => {
          relay.cut = undefined;
        });
        const { tree, total } = await measured(t, way);
        for (const share of STAGES[way]) {
          const reaching = await Reaching.open(t, servers, servers.configOf(way, tree));
          relay.cut = { after: Math.floor(total * share), how };
          const broken = how === 'freeze' ? reaching.impatient(500) : reaching;
          await assert.rejects(broken.take(never), (error) => {
            assert.ok(error instanceof CofferError && expected.test(error.code), `at ${share}: ${error}`);
            return true;
          });
          assert.equal(await reaching.clone.accepted(), undefined);
          relay.cut = undefined;
          await reaching.take(never);
        }
      });
    }

    test('by a trickle ends with the time that a fetch may take', async (t) => {
      const relay = servers.relays[way];
      t.after(() => {
        relay.cut = undefined;
      });
      const { tree, total } = await measured(t, way);
      const reaching = await Reaching.open(t, servers, servers.configOf(way, tree));
      relay.cut = { after: Math.floor(total / 2), how: { trickle: 20 } };
      const timeout = AbortSignal.timeout(1500);
      await assert.rejects(reaching.take(timeout), { name: 'TimeoutError' });
    });
  });
}

/** A repository with something to send, and how many bytes a server sends for a look and a fetch. */
async function measured(t: TestContext, way: Way): Promise<{ tree: WorkTree; total: number }> {
  const tree = await servers.tree();
  const noise = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * i * 7 + (i >> 3)) & 0xff));
  await tree.commit({ 'noise.bin': noise });
  const before = servers.relays[way].received;
  await (await Reaching.open(t, servers, servers.configOf(way, tree))).take(never);
  return { tree, total: servers.relays[way].received - before };
}
