import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { eventually } from '../operator/site.ts';
import { FaultProxy } from '../servers/fault-proxy.ts';
import { KubernetesStage } from './scene/stage.ts';

interface Lease extends KubeObject {
  spec: { holderIdentity: string };
}

test('a commit becomes a Secret, changes it, and takes it away; probes and metrics say how the operator is', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  await stage.commit(stage.files({ name: 'db', data: { a: 'one' } }));
  const operator = await stage.startAndProject();
  await stage.secretIs(stage.app, 'db', { a: 'one' });
  await stage.push(operator, stage.files({ name: 'db', data: { a: 'two' } }));
  await stage.secretIs(stage.app, 'db', { a: 'two' });
  await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
  await eventually(async () => assert.match(await operator.get('/healthz'), /^200/));
  const metrics = await operator.get('/metrics');
  assert.match(metrics, /^coffer_leader 1$/m);
  assert.match(metrics, /^coffer_kubernetes_requests_total\{verb="patch",resource="secrets",code="201"\} 1$/m);
  assert.match(metrics, /^coffer_secrets\{state="ready"\} 1$/m);
  await stage.push(operator, { 'db.yaml': null });
  await stage.secretIs(stage.app, 'db', undefined);
  assert.equal(await operator.end(), 0);
});

test('--once waits for the lease, projects, and gives the lease back', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  await stage.commit(stage.files({ name: 'db', data: { a: 'one' } }));
  const operator = stage.spawn('--once');
  assert.equal(await operator.exit(), 0, operator.output);
  await stage.secretIs(stage.app, 'db', { a: 'one' });
  const name = { namespace: stage.home, name: 'coffer-operator' };
  assert.equal((await stage.client.get<Lease>(RESOURCES.leases, name))?.spec.holderIdentity, '');
});

test('a signal ends an operator that waits for the API server at its start', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const proxy = await FaultProxy.start(cluster);
  t.after(() => proxy.close());
  proxy.plan = ({ method }) => (method === 'GET' ? { kind: 'silence' } : undefined);
  const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
  const stage = await KubernetesStage.open(t, { kubernetesCluster: cluster, kubeconfig });
  if (stage === undefined) return;
  const operator = await stage.start();
  assert.equal(await operator.end(), 0, operator.output);
});
