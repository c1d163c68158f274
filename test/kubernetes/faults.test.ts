import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startCluster } from '../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { eventually } from '../operator/site.ts';
import { type Fault, FaultProxy } from '../servers/fault-proxy.ts';
import { KubernetesStage } from './scene/stage.ts';

/** A stage whose operator reaches the API server through a proxy. */
async function behindProxy(t: TestContext): Promise<{ stage: KubernetesStage; proxy: FaultProxy } | undefined> {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  const proxy = await FaultProxy.start(cluster);
  t.after(() => proxy.close());
  const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
  const stage = await KubernetesStage.open(t, { kubernetesCluster: cluster, kubeconfig });
  return stage && { stage, proxy };
}

test('an operator that starts while the API server is down waits, and says so once', async (t) => {
  const found = await behindProxy(t);
  if (found === undefined) return;
  const { stage, proxy } = found;
  proxy.plan = () => ({ kind: 'reset' });
  await stage.commit(stage.files({ name: 'db', data: { a: 'one' } }));
  const operator = await stage.start();
  await operator.line(({ code }) => code === 'KUBERNETES_UNREACHABLE');
  await eventually(async () => assert.match(await operator.get('/healthz'), /^200/));
  await eventually(async () => assert.match(await operator.get('/readyz'), /^503/));
  proxy.plan = () => undefined;
  await stage.secretIs(stage.app, 'db', { a: 'one' });
  await operator.line(({ msg }) => msg === 'projected a commit');
  await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
  await eventually(async () =>
    assert.match(await operator.get('/metrics'), /^coffer_kubernetes_requests_total\{.*code="0"\} \d+$/m),
  );
  // A connection that breaks says now this, now that.
  const said = operator.lines.filter(({ code }) => code === 'KUBERNETES_UNREACHABLE').map(({ msg }) => msg);
  const again = said.filter((msg, index) => msg === said[index - 1]);
  assert.deepEqual(again, [], operator.output);
});

const FAULTS: Record<string, Fault> = {
  'connections that are reset': { kind: 'reset' },
  'answers that are lost': { kind: 'lost answer' },
  'answers that break off': { kind: 'half' },
  '429 with Retry-After': { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  '500': { kind: 'status', status: 500 },
  '410': { kind: 'status', status: 410 },
  'garbage before each answer': { kind: 'garbage', line: '<html>bad gateway</html>' },
  'slow answers': { kind: 'slow', milliseconds: 100 },
};

test('with faults in every third request, of each kind, what is projected becomes what the commits say', async (t) => {
  const found = await behindProxy(t);
  if (found === undefined) return;
  const { stage, proxy } = found;
  const operator = await stage.startAndProject();
  let round = 0;
  for (const [what, fault] of Object.entries(FAULTS)) {
    let requests = 0;
    proxy.plan = ({ url }) => (!/leases/.test(url.pathname) && ++requests % 3 === 0 ? fault : undefined);
    proxy.breakAll();
    const data = { a: `round ${++round}` };
    const [comes, goes] = [`only-${round}`, `only-${round - 1}`];
    await stage.commit({
      ...stage.files({ name: 'stays', data }, { name: comes, data }),
      ...(round === 1 ? {} : { [`${goes}.yaml`]: null }),
    });
    await operator.wake();
    await t.test(what, async () => {
      await stage.secretIs(stage.app, 'stays', data);
      await stage.secretIs(stage.app, comes, data);
      await stage.secretIs(stage.app, goes, undefined);
    });
  }
  assert.deepEqual((await stage.secrets()).names(), [`only-${round}`, 'stays']);
  assert.equal(await operator.end(), 0);
});

test('what the server says of a Secret, which may quote its values, goes nowhere', async (t) => {
  const found = await behindProxy(t);
  if (found === undefined) return;
  const { stage, proxy } = found;
  const canary = 'canary-of-the-faults';
  const causes = [{ message: canary, field: canary.repeat(10), reason: `${canary} and more` }];
  const body = { kind: 'Status', message: canary, reason: `${canary} and more`, details: { causes } };
  proxy.plan = ({ method, url }) =>
    method === 'PATCH' && /\/secrets\//.test(url.pathname) ? { kind: 'status', status: 422, body } : undefined;
  await stage.commit(stage.files({ name: 'db', data: { a: canary } }));
  const operator = await stage.start();
  await operator.line(({ code }) => code === 'KUBERNETES_INVALID');
  await stage.condition(stage.app, 'db', 'Ready', { status: 'False' });
  assert.deepEqual(await stage.leaks([canary]), []);
});

test('goes on after the API server was down and etcd compacted, with the commits that came meanwhile', async (t) => {
  if ((await sharedCluster(t)) === undefined) return;
  const cluster = await startCluster();
  const stage = await KubernetesStage.open(t, {
    kubernetesCluster: cluster,
    kubernetes: { leaderElection: { duration: '3s' } },
  });
  t.after(() => cluster.stop());
  if (stage === undefined) return;
  await stage.commit(stage.files({ name: 'db', data: { a: 'one' } }, { name: 'gone', data: { a: 'one' } }));
  const operator = await stage.startAndProject();
  await cluster.stopApiServer();
  const commit = await stage.commit({ ...stage.files({ name: 'db', data: { a: 'two' } }), 'gone.yaml': null });
  await operator.wake();
  await operator.line((line) => line.msg === 'accepted a commit' && line.commit === commit);
  await cluster.startApiServer();
  await cluster.compactEtcd();
  await stage.secretIs(stage.app, 'db', { a: 'two' });
  await stage.secretIs(stage.app, 'gone', undefined);
  assert.equal(await operator.end(), 0);
});

test('a namespace where the operator may do nothing holds up no other, and comes when it may', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster);
  const stage = await KubernetesStage.open(t, {
    kubernetesCluster: cluster,
    apps: 2,
    kubeconfig: await cluster.kubeconfigFor({ namespace, serviceAccount: 'default' }),
  });
  if (stage === undefined) return;
  const [open, closed = ''] = stage.apps;
  const allow = async (where: string) => {
    await cluster.kubectl('-n', where, 'create', 'role', 'all', '--verb=*', '--resource=*.*');
    const account = `--serviceaccount=${namespace}:default`;
    await cluster.kubectl('-n', where, 'create', 'rolebinding', 'all', '--role=all', account);
  };
  await Promise.all([allow(stage.home), allow(stage.app)]);
  const data = { a: 'one' };
  await stage.commit(stage.files({ name: 'ours', data }, { name: 'theirs', namespace: closed, data }));
  const operator = await stage.start();
  await stage.secretIs(stage.app, 'ours', data);
  const refused = await operator.line(({ name, code }) => name === 'theirs' && code === 'KUBERNETES_FORBIDDEN');
  assert.deepEqual([refused.namespace, open], [closed, stage.app]);
  await allow(closed);
  await stage.secretIs(closed, 'theirs', data);
});
