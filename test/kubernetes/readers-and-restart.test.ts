/** From a commit to who may read it and who rolls, by the real operator on a real cluster. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import { READERS_NAME, type SecretReaders } from '../../operator/project/readers/namespace-readers.ts';
import { READ_STATE } from '../../operator/project/restart/workload.ts';
import { eventually } from '../operator/site.ts';
import { env, Rollouts } from './scene/rollouts.ts';
import { KubernetesStage } from './scene/stage.ts';

test('a commit says who may read before the Secret is there, and until after it went; only readers get pods', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (!stage) return;
  const readers = await stage.watch<SecretReaders>(RESOURCES.secretReaders, stage.app);
  const secrets = await stage.watch<KubeObject>(RESOURCES.secrets, stage.app);
  const early = { metadata: { name: 'early' }, spec: env('db', 'PASSWORD') };
  await stage.cluster.admin.expect('POST', `/api/v1/namespaces/${stage.app}/pods`, early);
  await stage.commit(stage.files({ name: 'db', data: { PASSWORD: 'p1' }, readers: ['api'] }));
  const operator = await stage.startAndProject();
  await secrets.until('db', (object) => object !== undefined);
  await readers.until(READERS_NAME, (object) => object?.spec.secrets.db !== undefined);
  // As they were at first: a status of the readers comes later.
  const secret = secrets.history.find(({ name }) => name === 'db')?.object;
  const said = readers.history.find(({ object }) => object?.spec.secrets.db !== undefined)?.object;
  assert.ok(Number(said?.metadata.resourceVersion) < Number(secret?.metadata.resourceVersion));

  const pods = `/api/v1/namespaces/${stage.app}/pods?dryRun=All`;
  const pod = (account: string) => ({
    metadata: { name: 'pod' },
    spec: { ...env('db', 'PASSWORD'), serviceAccountName: account },
  });
  await stage.cluster.admin.expect('POST', `/api/v1/namespaces/${stage.app}/serviceaccounts`, {
    metadata: { name: 'api' },
  });
  // The API server's own cache may be a moment behind what it has stored.
  await eventually(async () => {
    const refused = await stage.cluster.admin.ask('POST', pods, pod('default'));
    assert.match(refused.text, /ServiceAccount default may not read PASSWORD of Secret db \(readers: api\)/);
  });
  assert.equal((await stage.cluster.admin.ask('POST', pods, pod('api'))).status, 201);

  const events = `/apis/events.k8s.io/v1/namespaces/${stage.app}/events`;
  await stage.cluster.admin.firstEvent(`${events}?watch=1&fieldSelector=reason%3DNotAReader,regarding.name%3Dearly`);
  await eventually(async () => assert.match(await operator.get('/metrics'), /^coffer_offenders 1$/m));

  await stage.push(operator, { ...stage.files({ name: 'more', data: { PASSWORD: 'p1' } }), 'db.yaml': null });
  await secrets.until('db', (object) => object === undefined);
  const left = await readers.until(READERS_NAME, (object) => object?.spec.secrets.db === undefined);
  assert.deepEqual(left?.spec.secrets, { more: ['*'] });
});

const CANARY = 'canary-8c1f20';

test('workloads roll once for a commit that changes what they read, whatever is restarted, healed or patched by hand in between', async (t) => {
  const stage = await KubernetesStage.open(t, { kubernetes: { leaderElection: { duration: '2s' } } });
  if (!stage) return;
  const rollouts = await Rollouts.open(t, stage.cluster, stage.app);
  await rollouts.deploy('both', { ...env('db', 'PASSWORD'), volumes: [{ name: 'v', secret: { secretName: 'tls' } }] });
  await rollouts.deploy('user', env('db', 'USERNAME'));
  const rolls = async () => [await rollouts.rolls('both'), await rollouts.rolls('user')];
  const files = (password: string, key: string) =>
    stage.files({ name: 'db', data: { PASSWORD: password, USERNAME: 'u1' } }, { name: 'tls', data: { key } });
  await stage.commit(files('p1', 'k1'));
  const first = await stage.startAndProject();
  await rollouts.deployments.until('both', (object) =>
    /db.*tls/.test(object?.metadata.annotations?.[READ_STATE] ?? ''),
  );
  assert.deepEqual(await rolls(), [1, 1]);

  await stage.push(first, files('p2', 'k2'));
  assert.deepEqual(await rolls(), [2, 1]);
  await first.kill();

  const second = await stage.start();
  await second.line(({ msg }) => msg === 'brought back the last good state');
  const secret = `/api/v1/namespaces/${stage.app}/secrets/db`;
  const secrets = await stage.secrets();
  const before = secrets.history.length;
  const edit = { stringData: { PASSWORD: CANARY } };
  await stage.cluster.admin.ask('PATCH', secret, edit, 'application/merge-patch+json');
  await secrets.until('db', () => secrets.history.length >= before + 2);
  await stage.secretIs(stage.app, 'db', { PASSWORD: 'p2', USERNAME: 'u1' });
  await stage.push(second, { README: 'nothing of a secret' });
  assert.deepEqual(await rolls(), [2, 1]);
  await stage.push(second, files('p3', 'k2'));
  assert.deepEqual(await rolls(), [3, 1]);
  assert.deepEqual(await stage.leaks([CANARY]), []);
});
