import assert from 'node:assert/strict';
import { cp, rename, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { readFrame } from '../../operator/volumes/protocol.ts';
import { eventually } from '../operator/site.ts';
import { FaultProxy } from '../servers/fault-proxy.ts';
import { canary, VolumesScene } from './scene/volumes-scene.ts';

test('a pod gets the entries that its ServiceAccount may read, by its own token and on the record', async (t) => {
  const scene = await VolumesScene.open(t);
  if (scene === undefined) return;
  const [first, second] = [canary('first'), canary('second')];
  const { stage, app } = scene;
  await stage.commit(stage.files({ name: 'db', data: { password: first, user: 'api' }, readers: ['api'] }));
  await scene.serviceAccount('api');
  await scene.start();
  const uid = await scene.pod('api-0', 'api');
  const token = await scene.token('api', { pod: { name: 'api-0', uid } });

  const mounted = await scene.mount(token);
  assert.equal(mounted.status, 200, String(mounted.code));
  const { version, values } = readFrame(mounted.body);
  assert.deepEqual([...values].sort(), [
    ['password', Buffer.from(first)],
    ['user', Buffer.from('api')],
  ]);
  const [intent, outcome, ...more] = scene.record('mount');
  const actor = {
    kind: 'pod',
    user: `system:serviceaccount:${app}:api`,
    namespace: app,
    serviceAccount: 'api',
    pod: 'api-0',
    podUid: uid,
  };
  assert.deepEqual(intent?.actor, actor);
  assert.equal(intent?.event, 'secret.intent');
  assert.deepEqual(intent?.entries, ['password', 'user']);
  assert.equal(outcome?.event, 'secret.outcome');
  assert.deepEqual(more, []);

  const unchanged = await scene.mount(token, { secret: 'db', version });
  assert.deepEqual([unchanged.status, unchanged.body.length], [204, 0]);
  assert.equal(scene.record('mount').length, 2, 'what has not changed is no read');

  await scene.push(stage.files({ name: 'db', data: { password: second }, readers: ['api'] }));
  const changed = readFrame((await scene.mount(token, { secret: 'db', version })).body);
  assert.deepEqual([...changed.values], [['password', Buffer.from(second)]]);
  assert.notEqual(changed.version, version);

  await scene.push({ 'db.yaml': null, ...stage.files({ name: 'other', data: { a: 'b' } }) });
  const gone = await scene.mount(token, { secret: 'db', version: changed.version });
  assert.deepEqual([gone.status, gone.code], [404, 'SECRET_UNKNOWN']);
  const metrics = await scene.operator?.get('/metrics');
  for (const [outcome, count] of Object.entries({ opened: 2, unchanged: 1, denied: 1 })) {
    assert.match(String(metrics), new RegExp(`^coffer_mounts_total\\{outcome="${outcome}"\\} ${count}$`, 'm'));
  }
  assert.deepEqual(await stage.leaks([first, second]), []);
});

test('a token that is forged, expired, for others, or of no pod that lives gives nothing, and the answer says why', async (t) => {
  const scene = await VolumesScene.open(t);
  if (scene === undefined) return;
  const { stage, app } = scene;
  const [, elsewhere = ''] = stage.apps;
  const secret = canary('token');
  await stage.commit(stage.files({ name: 'db', data: { password: secret }, readers: ['api'] }));
  for (const name of ['api', 'worker']) await scene.serviceAccount(name);
  await scene.serviceAccount('api', elsewhere);
  await scene.start();
  const bound = async (name: string, account: string, namespace = app) => ({
    namespace,
    pod: { name, uid: await scene.pod(name, account, namespace) },
  });
  const binding = await bound('api-0', 'api');
  const good = await scene.token('api', binding);
  const [header = '', claims = '', signature = ''] = good.split('.');
  const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  const deleted = await bound('api-1', 'api');
  const orphan = await scene.token('api', deleted);
  await stage.client.delete(RESOURCES.pods, { namespace: app, name: 'api-1' });
  const past = Math.floor(Date.now() / 1000) - 3600;
  const refused: [string, string, number, string][] = [
    ['forged', `${header}.${claims}.${flipped}`, 401, 'VOLUME_TOKEN_REFUSED'],
    ['made up', 'abc', 401, 'VOLUME_TOKEN_REFUSED'],
    ['expired', await scene.resigned(good, { iat: past - 60, nbf: past - 60, exp: past }), 401, 'VOLUME_TOKEN_REFUSED'],
    ['for another audience', await scene.token('api', { ...binding, audience: 'vault' }), 401, 'VOLUME_TOKEN_REFUSED'],
    ['for the API server', await scene.token('api', { ...binding, audience: '' }), 401, 'VOLUME_TOKEN_REFUSED'],
    ['of a pod that is gone', orphan, 401, 'VOLUME_TOKEN_REFUSED'],
    ['of no pod', await scene.token('api'), 403, 'VOLUME_TOKEN_UNBOUND'],
    ['of another ServiceAccount', await scene.token('worker', await bound('w', 'worker')), 403, 'VOLUME_NOT_READER'],
    ['of another namespace', await scene.token('api', await bound('api-0', 'api', elsewhere)), 403, 'VOLUME_NAMESPACE'],
  ];
  for (const [what, token, status, code] of refused) {
    const answer = await scene.mount(token);
    assert.deepEqual([answer.status, answer.code], [status, code], what);
  }
  const { message } = await scene.mount(await scene.token('worker', await bound('w-1', 'worker')));
  assert.match(message ?? '', new RegExp(`${app}/worker.*readers are: api`));
  // The same as signed for the first test of this list, but in time: only the claims made the difference.
  const inTime = await scene.resigned(good, {});
  assert.equal((await scene.mount(inTime)).status, 200);
  const record = scene.record('mount');
  assert.equal(record.filter(({ event }) => event === 'secret.intent').length, 1);
  const denials = record.filter(({ event }) => event === 'read.denied');
  assert.deepEqual(
    denials.map(({ code, actor }) => `${code} ${Object(actor).pod}`),
    ['VOLUME_NOT_READER w', 'VOLUME_NAMESPACE api-0', 'VOLUME_NOT_READER w-1'],
  );
  assert.deepEqual(await stage.leaks([secret, good, orphan]), []);
});

test('what is no request for a mount is refused', async (t) => {
  const scene = await VolumesScene.open(t);
  if (scene === undefined) return;
  await scene.stage.commit(scene.stage.files({ name: 'db', data: { password: 'x' } }));
  await scene.start();
  const refused: [Parameters<VolumesScene['call']>, number, string][] = [
    [['/v1/mount', undefined, '{"secret":"db"}'], 401, 'VOLUME_TOKEN_MISSING'],
    [['/v1/mount', 'abc', '{"secret":"../db"}'], 400, 'VOLUME_REQUEST'],
    [['/v1/mount', 'abc', '["db"]'], 400, 'VOLUME_REQUEST'],
    [['/v1/mount', 'abc', 'x'.repeat(9000)], 400, 'VOLUME_REQUEST'],
    [['/v1/mount', 'abc', '', 'GET'], 400, 'VOLUME_REQUEST'],
    [['/healthz', 'abc', ''], 400, 'VOLUME_REQUEST'],
  ];
  for (const [call, status, code] of refused) {
    const answer = await scene.call(...call);
    assert.deepEqual([answer.status, answer.code], [status, code], call.join(' ').slice(0, 60));
  }
});

test('promise 1: a replica whose state is older takes nothing from a pod, nor puts an older version in its place', async (t) => {
  const scene = await VolumesScene.open(t);
  if (scene === undefined) return;
  const { stage } = scene;
  const { site } = stage;
  const of = (value: string, readers: string[]) => ({ name: 'db', data: { password: value }, readers });
  await stage.commit(stage.files(of(canary('one'), ['worker'])));
  for (const name of ['api', 'worker']) await scene.serviceAccount(name);
  await (await scene.start()).end();
  await cp(site.path('state'), site.path('older'), { recursive: true });

  await scene.startAgain();
  const second = canary('two');
  await scene.push(stage.files(of(second, ['api', 'worker']), { name: 'late', data: { a: 'b' }, readers: ['api'] }));
  const tokens = await Promise.all(
    ['api', 'worker'].map(async (account) => {
      const name = `${account}-0`;
      return scene.token(account, { pod: { name, uid: await scene.pod(name, account) } });
    }),
  );
  const [api = '', worker = ''] = tokens;
  const { version } = readFrame((await scene.mount(worker)).body);
  const late = readFrame((await scene.mount(api, { secret: 'late' })).body);
  await scene.operator?.end();

  // Another one leads, with what it knew when it led last, and the repository is away.
  await rm(site.path('state'), { recursive: true });
  await rename(site.path('older'), site.path('state'));
  await rename(site.path('repository'), site.path('away'));
  await scene.startAgain();
  const asks = [
    scene.mount(worker, { secret: 'db', version }),
    scene.mount(api, { secret: 'db', version }),
    scene.mount(api, { secret: 'late', version: late.version }),
  ];
  for (const { status, code } of await Promise.all(asks)) assert.deepEqual([status, code], [503, 'VOLUME_NOT_READY']);
  assert.equal((await scene.mount(worker)).status, 200, 'who has nothing gets what was good last');

  await rename(site.path('away'), site.path('repository'));
  await scene.operator?.wake();
  await eventually(async () => assert.equal((await scene.mount(worker, { secret: 'db', version })).status, 204));
  const current = readFrame((await scene.mount(api)).body);
  assert.deepEqual([...current.values], [['password', Buffer.from(second)]]);
});

test('who cannot have the serving certificate at the start goes on with all else, and serves when it can', async (t) => {
  const scene = await VolumesScene.open(t);
  if (scene === undefined) return;
  const { stage, app } = scene;
  const proxy = await FaultProxy.start(stage.cluster);
  t.after(() => proxy.close());
  const volumes = { namespaces: [app], listen: new URL(scene.address).host };
  stage.configure({
    kubeconfig: await proxy.kubeconfig(stage.cluster.kubeconfig),
    configuration: { projections: [{ volumes }, { kubernetesSecrets: { namespaces: [app] } }] },
  });
  await stage.commit(stage.files({ name: 'db', data: { a: '1' }, readers: ['api'] }));
  await scene.serviceAccount('api');
  proxy.plan = ({ url }) => (url.pathname.includes('coffer-serving') ? { kind: 'status', status: 403 } : undefined);
  await scene.start();
  await stage.secretIs(app, 'db', { a: '1' });
  proxy.plan = () => undefined;
  const token = await scene.token('api', { pod: { name: 'api-0', uid: await scene.pod('api-0', 'api') } });
  await eventually(async () => assert.equal((await scene.mount(token)).status, 200));
});
