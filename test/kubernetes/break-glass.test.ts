import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenOf } from '../cluster/users.ts';
import { canary, VolumesScene } from './scene/volumes-scene.ts';

const PATH = '/v1/break-glass';

/** Lets somebody read values of one manifest in an emergency. */
async function allow(scene: VolumesScene, name: string, ...subjects: object[]): Promise<void> {
  const { admin } = scene.stage.cluster;
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.app}`;
  const metadata = { name: 'break-glass' };
  const resources = { apiGroups: ['coffer.dev'], resources: ['encryptedsecrets'], resourceNames: [name] };
  await admin.expect('POST', `${rbac}/roles`, { metadata, rules: [{ ...resources, verbs: ['break-glass'] }] });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', ...metadata };
  await admin.expect('POST', `${rbac}/rolebindings`, { metadata, roleRef, subjects });
}

test('a person whom RBAC allows reads one value in an emergency; who and why is recorded, and so is who may not', async (t) => {
  const scene = await VolumesScene.open(t);
  if (scene === undefined) return;
  const { stage, app } = scene;
  const [value, other] = [canary('value'), canary('other')];
  const data = { password: value, user: 'api' };
  await stage.commit(stage.files({ name: 'db', data, readers: [] }, { name: 'mail', data: { password: other } }));
  await scene.serviceAccount('oncall');
  const user = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' };
  await allow(scene, 'db', user, { kind: 'ServiceAccount', name: 'oncall', namespace: app });
  await scene.start();
  const [alice, mallory] = await Promise.all(
    ['alice', 'mallory'].map((name) => tokenOf(stage.cluster.directory, name)),
  );
  const ask = (token: string | undefined, more: object = {}) =>
    scene.call(
      PATH,
      token,
      JSON.stringify({ namespace: app, name: 'db', entry: 'password', reason: 'INC-42', ...more }),
    );

  const read = await ask(alice);
  assert.deepEqual([read.status, read.body.toString()], [200, value]);
  const [intent, outcome, ...more] = scene.record('read');
  assert.deepEqual(
    [intent?.event, intent?.actor, intent?.reason, intent?.entries, intent?.name],
    ['secret.intent', { kind: 'user', user: 'alice' }, 'INC-42', ['password'], 'db'],
  );
  assert.equal(outcome?.event, 'secret.outcome');
  assert.deepEqual(more, []);

  const narrow = await scene.token('oncall', { audience: 'break-glass.coffer.dev' });
  assert.equal((await ask(narrow, { entry: 'user' })).body.toString(), 'api');

  const refused: [string, ReturnType<typeof ask>, number, string][] = [
    ['who may not', ask(mallory), 403, 'BREAK_GLASS_FORBIDDEN'],
    ['another manifest', ask(alice, { name: 'mail' }), 403, 'BREAK_GLASS_FORBIDDEN'],
    ['another namespace', ask(alice, { namespace: 'default' }), 403, 'BREAK_GLASS_FORBIDDEN'],
    ['a token for pods', ask(await scene.token('oncall')), 401, 'VOLUME_TOKEN_REFUSED'],
    ['a made up token', ask('abc'), 401, 'VOLUME_TOKEN_REFUSED'],
    ['no token', ask(undefined), 401, 'VOLUME_TOKEN_MISSING'],
    ['no reason', ask(alice, { reason: '' }), 400, 'BREAK_GLASS_REASON'],
    ['a reason that hides something', ask(alice, { reason: 'all good\u001b[2K' }), 400, 'BREAK_GLASS_REASON'],
    ['no such entry', ask(alice, { entry: 'nothing' }), 404, 'MANIFEST_ENTRY_UNKNOWN'],
    ['no name', ask(alice, { name: '../db' }), 400, 'VOLUME_REQUEST'],
  ];
  for (const [what, answering, status, code] of refused) {
    const answer = await answering;
    assert.deepEqual([answer.status, answer.code], [status, code], what);
    assert.ok(!answer.body.includes(value));
  }
  const denials = scene
    .record('read')
    .filter(({ event, code }) => event === 'read.denied' && code === 'BREAK_GLASS_FORBIDDEN');
  assert.equal(denials.length, 3);
  assert.ok(denials.some(({ actor, reason }) => JSON.stringify(actor).includes('mallory') && reason === 'INC-42'));
  assert.deepEqual(await stage.leaks([value, other, alice ?? '', narrow]), []);
});
