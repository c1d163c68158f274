import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliver } from '../operator/delivery.ts';
import { eventually } from '../operator/site.ts';
import { textsOf } from './scene/secret-texts.ts';
import { TrustScene } from './scene/trust-scene.ts';

test('over ssh, by webhooks and with the rights of the chart, a commit counts when it is signed by who may; a refusal is seen where people look', async (t) => {
  const scene = await TrustScene.open(t);
  if (scene === undefined) return;
  const { stage, terminal } = scene;
  await terminal.run('Webhooks', /^openssl rand /);
  await terminal.run('Webhooks', /^kubectl create secret /);
  await scene.mountGitSecret();
  const first = await scene.commit('sam', { db: scene.manifest('one', 'api') });
  const webhook = { from: 'github', secretFile: 'git/webhook' };
  scene.configure({ firstCommit: first }, { git: { webhook }, serve: { webhooks: { listen: '127.0.0.1:0' } } });
  const operator = await stage.startAndProject();
  const { address = '' } = await operator.line(({ msg }) => msg === 'listening for webhooks');
  const push = async (...commit: Parameters<TrustScene['commit']>) => {
    const pushed = await scene.commit(...commit);
    assert.equal(await deliver(address, terminal.read('webhook')), 202);
    return pushed;
  };
  const passwordIs = (password: string) => stage.secretIs(stage.app, 'payments-db', { password });
  const isRefused = (value: 0 | 1) =>
    eventually(async () => {
      assert.match(await operator.get('/metrics'), new RegExp(`^coffer_source_refused\\{[^}]*\\} ${value}$`, 'm'));
    });
  await passwordIs('one');
  await push('ada', { db: scene.manifest('two', 'api') });
  await passwordIs('two');

  // Ada may not say who reads; what she takes back does not stand in the way.
  await push('ada', { db: scene.manifest('three', 'api', 'mallory') });
  await stage.condition(stage.app, 'payments-db', 'Ready', { status: 'False', reason: 'TrustNotGranted' });
  await isRefused(1);
  await scene.revert('ada');
  assert.equal(await deliver(address, terminal.read('webhook')), 202);
  await isRefused(0);
  await stage.condition(stage.app, 'payments-db', 'Ready', { status: 'True' });

  const unsigned = await push(undefined, { db: scene.manifest('unsigned', 'api') });
  const shown = await stage.condition(stage.app, 'payments-db', 'Ready', { status: 'False', reason: 'TrustUnsigned' });
  assert.match(shown.message, new RegExp(`${unsigned.slice(0, 12)} by Ada`));
  assert.match(await terminal.run('Signed commits', /^kubectl describe /), new RegExp(unsigned.slice(0, 12)));
  await eventually(async () => {
    assert.match(await terminal.run('Signed commits', /^kubectl get events /), /TrustUnsigned/);
  });
  await isRefused(1);
  await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
  // Nor does what somebody sets again who may.
  await push('ada', { db: scene.manifest('four', 'api') });
  await passwordIs('four');
  await isRefused(0);
  await stage.condition(stage.app, 'payments-db', 'Ready', { status: 'True' });
  const values = (await stage.secrets()).history.map(({ object }) => object && textsOf(object).password);
  assert.deepEqual([...new Set(values)], ['one', 'two', 'four']);
  assert.equal(await operator.end(), 0, operator.output);
});

test('without its state an operator takes nothing but what descends from the commit that the cluster remembers, until a person says otherwise', async (t) => {
  const scene = await TrustScene.open(t);
  if (scene === undefined) return;
  const { stage } = scene;
  const { tree } = stage.site;
  const first = await scene.commit('sam', { db: scene.manifest('old') });
  const accepted = await scene.commit('sam', { db: scene.manifest('new') });
  scene.configure({ firstCommit: first });
  const before = await stage.startAndProject();
  await stage.secretIs(stage.app, 'payments-db', { password: 'new' });
  const remembered = () => stage.kubectl('get', 'configmap', 'coffer-accepted', '-n', stage.home, '-o', 'json');
  await eventually(async () => assert.match(await remembered(), new RegExp(accepted)));
  assert.equal(await before.end(), 0, before.output);

  // A git server that shows what was right once: signed by who may, and older.
  scene.forgetState();
  await tree.git('update-ref', 'refs/heads/main', first);
  const operator = await stage.start();
  await operator.line(({ code }) => code === 'TRUST_DIVERGED');
  await stage.secretIs(stage.app, 'payments-db', { password: 'new' });
  assert.match(await remembered(), new RegExp(accepted));

  assert.equal(await scene.accept(first), 0);
  await operator.wake();
  await stage.secretIs(stage.app, 'payments-db', { password: 'old' });
  await eventually(() => {
    assert.ok(stage.site.audit().some(({ event, commit }) => event === 'commit.accepted' && commit === first));
  });
  await eventually(async () => assert.doesNotMatch(await remembered(), new RegExp(accepted)));
  assert.equal(await operator.end(), 0, operator.output);
});

test('with perPath one file is held back and others go on, until the policy lets it, which is read without a restart', async (t) => {
  const scene = await TrustScene.open(t);
  if (scene === undefined) return;
  const { stage } = scene;
  const first = await scene.commit('sam', { db: scene.manifest('one', 'api'), mail: scene.manifest('one', 'api') });
  scene.configure({ firstCommit: first, perPath: true });
  const operator = await stage.startAndProject();
  await scene.commit('ada', { db: scene.manifest('two', 'api', 'reports') });
  const head = await scene.commit('ada', { mail: scene.manifest('two', 'api') });
  await operator.wake();
  await operator.line(({ msg, commit }) => msg === 'projected a commit' && commit === head);
  await stage.secretIs(stage.app, 'payments-mail', { password: 'two' });
  await stage.secretIs(stage.app, 'payments-db', { password: 'one' });
  await stage.condition(stage.app, 'payments-mail', 'Ready', { status: 'True' });
  await stage.condition(stage.app, 'payments-db', 'Ready', { status: 'False', reason: 'TrustNotGranted' });
  await eventually(async () => {
    assert.match(await operator.get('/metrics'), /^coffer_held_paths\{[^}]*\} 1$/m);
  });

  scene.mountPolicy('values', 'stanzas', 'readers');
  await operator.wake();
  await stage.secretIs(stage.app, 'payments-db', { password: 'two' });
  await stage.condition(stage.app, 'payments-db', 'Ready', { status: 'True' });
  assert.equal(await operator.end(), 0, operator.output);
});
