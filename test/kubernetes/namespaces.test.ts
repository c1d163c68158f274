import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { FaultProxy } from '../servers/fault-proxy.ts';
import { KubernetesStage } from './scene/stage.ts';

test('a namespace that is missing, then made, then deleted: its secret fails with the reason, and others go on', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const late = `late-${randomBytes(4).toString('hex')}`;
  stage.configure({ secrets: { namespaces: [stage.app, late] } });
  t.after(() => stage.kubectl('delete', 'namespace', late, '--ignore-not-found', '--wait=false'));
  await stage.commit({
    ...stage.files({ name: 'db', data: { a: '1' } }),
    'late.yaml': stage.manifest({ namespace: late, name: 'late', data: { a: '1' } }),
  });
  const operator = await stage.startAndProject();
  await stage.secretIs(stage.app, 'db', { a: '1' });
  await operator.line(({ code, namespace }) => code === 'KUBERNETES_NAMESPACE_MISSING' && namespace === late);
  await stage.kubectl('create', 'namespace', late);
  await stage.secretIs(late, 'late', { a: '1' });
  await stage.condition(late, 'late', 'Ready', { status: 'True' });

  await stage.kubectl('patch', 'secret', 'late', '-n', late, '-p', '{"metadata":{"finalizers":["example.org/hold"]}}');
  const secrets = await stage.secrets(late);
  await stage.kubectl('delete', 'namespace', late, '--wait=false');
  await secrets.until('late', (secret) => secret?.metadata.deletionTimestamp !== undefined);
  await stage.push(operator, {
    ...stage.files({ name: 'db', data: { a: '2' } }),
    'late.yaml': stage.manifest({ namespace: late, name: 'late', data: { a: '2' } }),
  });
  await stage.secretIs(stage.app, 'db', { a: '2' });
  await operator.line(({ code, namespace }) => code === 'KUBERNETES_TERMINATING' && namespace === late);
  await stage.client.patch(
    RESOURCES.secrets,
    { namespace: late, name: 'late' },
    { metadata: { finalizers: null } },
    { type: 'merge' },
  );
  await secrets.until('late', (secret) => secret === undefined);
  assert.equal(await operator.end(), 0);
});

test('promise 4: who may not list the namespaces for a while takes what reaches several from none of them', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const proxy = await FaultProxy.start(cluster);
  t.after(() => proxy.close());
  const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
  const stage = await KubernetesStage.open(t, { kubernetesCluster: cluster, kubeconfig, apps: 2 });
  if (stage === undefined) return;
  // Globs that nobody else's namespaces match.
  const namespaces = stage.apps.map((name) => `${name.slice(0, -1)}?`);
  stage.configure({ kubeconfig, secrets: { namespaces } });
  const [home = '', other = ''] = stage.apps;
  await stage.commit(stage.files({ name: 'pull', scope: 'cluster', namespaces: [other], data: { a: '1' } }));
  const before = await stage.startAndProject();
  await stage.secretIs(other, 'pull', { a: '1' });
  assert.equal(await before.end(), 0);
  const uid = (await stage.secrets(other)).get('pull')?.metadata.uid;

  proxy.plan = ({ url }) => (url.pathname === '/api/v1/namespaces' ? { kind: 'status', status: 403 } : undefined);
  const operator = await stage.start();
  await operator.line(({ code }) => code === 'KUBERNETES_FORBIDDEN');
  proxy.plan = () => undefined;
  await stage.push(operator, stage.files({ name: 'pull', scope: 'cluster', namespaces: [other], data: { a: '2' } }));
  await stage.secretIs(other, 'pull', { a: '2' });
  assert.equal((await stage.secrets(other)).get('pull')?.metadata.uid, uid, 'it was never gone');
  await stage.secretIs(home, 'pull', { a: '2' });
  assert.equal(await operator.end(), 0);
});
