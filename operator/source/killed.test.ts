import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { changesBetween } from '../../core/git/trees/changes.ts';
import { code, never, Watching } from '../../test/operator/watching.ts';

const POLLER = join(import.meta.dirname, '../../test/operator/poller.ts');
const KILLS = 5;

for (const place of ['over HTTP', 'from a path'] as const) {
  describe(`a source ${place} whose process is killed at random moments`, () => {
    test('has a state that is whole, none that it did not have, and goes on', async (t) => {
      const watching = await Watching.open(t);
      const url = place === 'over HTTP' ? (await watching.serve()).url : watching.tree.directory;
      const commits = [await watching.tree.commit({ start: '0' })];
      for (let kill = 0; kill < KILLS; kill++) {
        const poller = spawn(process.execPath, [POLLER, JSON.stringify({ url, allowHttp: true }), watching.state], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        t.after(() => poller.kill('SIGKILL'));
        const ended = once(poller, 'exit');
        await once(poller.stdout, 'data');
        for (let i = 0; i < 2; i++) {
          const files = Array.from({ length: 10 }, (_, n): [string, string] => [`${n}/file`, `${kill} ${i} ${n}`]);
          commits.push(await watching.tree.commit(Object.fromEntries(files)));
        }
        await setTimeout(Math.random() * 120);
        poller.kill('SIGKILL');
        await ended;

        const source = await watching.source({ url, allowHttp: true });
        const state = await source.accepted();
        if (state === undefined) continue;
        assert.ok(commits.includes(state.commit));
        for await (const { after } of changesBetween(source.repository, null, state.tree)) {
          if (after !== undefined) await source.repository.readBlob(after.oid);
        }
        await watching.gitInClone(source, 'fsck', '--strict', 'refs/coffer/accepted');
      }
      const source = await watching.source({ url, allowHttp: true });
      const last = commits.at(-1);
      let found = await source.poll(never);
      // What a run that was killed had accepted comes first: nobody knows whether it was recorded.
      if (found !== 'unchanged' && found.commit !== last) {
        await source.told(found);
        found = await source.poll(never);
      }
      assert.ok(found === 'unchanged' || found.commit === last);
      assert.equal((await source.accepted())?.commit, last);
      await watching.tree.git('reset', '-q', '--hard', 'HEAD~2');
      await assert.rejects(source.poll(never), code('SOURCE_REWOUND'));
    });
  });
}
