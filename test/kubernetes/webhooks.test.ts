import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { deliver } from '../operator/delivery.ts';
import type { LogLine } from '../operator/site.ts';
import { KubernetesStage, type StageOptions } from './scene/stage.ts';

const listens = ({ msg }: LogLine) => msg === 'listening for webhooks';

/** A replica with its own state. */
const replica = (name: string): StageOptions => ({
  git: { webhook: { from: 'github', secretFile: 'hook' } },
  // It is handed over; a busy machine may hold up its renewal for a while.
  kubernetes: { leaderElection: { duration: '20s' } },
  configuration: {
    state: { directory: `${name}/state` },
    audit: { directory: `${name}/audit` },
    serve: { listen: '127.0.0.1:0', webhooks: { listen: '127.0.0.1:0' } },
  },
});

test('only the replica that leads, where the Service leads to, listens for webhooks; the next one does when it takes over', async (t) => {
  const stage = await KubernetesStage.open(t, replica('first'));
  if (stage === undefined) return;
  writeFileSync(stage.site.path('hook'), 'the secret\n');
  const push = (text: string) => stage.commit(stage.files({ name: 'db', data: { a: text } }));
  await push('one');
  const leader = await stage.startAndProject();
  const { address = '' } = await leader.line(listens);
  stage.configure(replica('second'));
  const standby = await stage.start();
  await standby.line(({ msg }) => msg === 'standing by');

  await push('two');
  assert.equal(await deliver(address, 'the secret'), 202);
  await stage.secretIs(stage.app, 'db', { a: 'two' });
  assert.ok(!standby.lines.some(listens), standby.output);

  assert.equal(await leader.end(), 0);
  await assert.rejects(deliver(address, 'the secret'), { code: 'ECONNREFUSED' });
  const next = await standby.line(listens);
  await standby.line(({ msg }) => msg === 'projected a commit');
  await push('three');
  assert.equal(await deliver(next.address ?? '', 'the secret'), 202);
  await stage.secretIs(stage.app, 'db', { a: 'three' });
});
