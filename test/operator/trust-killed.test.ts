import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { openGitSource } from '../../operator/source/open-git-source.ts';
import { TrustSite } from './trust-site.ts';
import { commitOf } from './watching.ts';

const POLLER = join(import.meta.dirname, 'poller.ts');
const KILLS = 8;

test('an operator that is killed at random moments never lets in what it held back, nor forgets that it did', async (t) => {
  const host = await TrustSite.open(t, { people: ['ada'] });
  const { site } = host;
  const bad = host.manifest('bad', 'first');
  const first = await host.commit('ada', { 'good.yaml': host.manifest('good', 'first'), 'bad.yaml': bad });
  const trust = { mode: 'strict', perPath: true, policy: site.path('policy.yaml'), firstCommit: first } as const;
  const config = { url: site.tree.directory, trust };
  const state = site.path('state');
  const good = new Map([[first, site.tree.git('show', `${first}:good.yaml`)]]);
  for (let kill = 0; kill < KILLS; kill++) {
    const poller = spawn(process.execPath, [POLLER, JSON.stringify(config), state], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => poller.kill('SIGKILL'));
    const ended = once(poller, 'exit');
    await once(poller.stdout, 'data');
    const wrong = await host.commit(undefined, { 'bad.yaml': host.manifest('bad', `${kill}`) });
    const right = await host.commit('ada', { 'good.yaml': host.manifest('good', `${kill}`) });
    for (const commit of [wrong, right]) good.set(commit, site.tree.git('show', `${commit}:good.yaml`));
    await setTimeout(Math.random() * 150);
    poller.kill('SIGKILL');
    await ended;

    const source = await openGitSource(config, state);
    try {
      const accepted = await source.accepted();
      if (accepted === undefined) continue;
      const read = async (path: string) => {
        const entry = await source.repository.entryAt(accepted.tree, path);
        return String(await source.repository.readBlob(entry?.oid ?? '')).trimEnd();
      };
      assert.equal(await read('bad.yaml'), bad.trimEnd());
      assert.equal(await read('good.yaml'), await good.get(accepted.commit));
      const held = accepted.held.map(({ path }) => path);
      assert.deepEqual(new Set(held), new Set(accepted.commit === first ? [] : ['bad.yaml']));
    } finally {
      await source.close();
    }
  }
  const source = await openGitSource(config, state);
  t.after(() => source.close());
  // The first look hands on what a killed run may not have told of.
  while ((await commitOf(source)) !== 'unchanged');
  assert.equal((await source.accepted())?.commit, await site.tree.git('rev-parse', 'HEAD'));
});
