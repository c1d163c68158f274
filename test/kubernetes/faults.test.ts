import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { startCluster } from '../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { type Fault, FaultProxy } from '../servers/fault-proxy.ts';
import { type ClusterSite, type ClusterSiteOptions, holds, openClusterSite, type Secret } from './cluster-site.ts';
import { Onlooker } from './onlooker.ts';

async function throughProxy(
  t: TestContext,
  options: ClusterSiteOptions = {},
): Promise<(ClusterSite & { proxy: FaultProxy; cluster: Cluster }) | undefined> {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  const proxy = await FaultProxy.start(cluster);
  t.after(() => proxy.close());
  const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
  return { ...(await openClusterSite(t, cluster, { kubeconfig, ...options })), proxy, cluster };
}

test('an operator that starts while the API server is down waits, and says so once', async (t) => {
  const found = await throughProxy(t);
  if (found === undefined) return;
  const { site, proxy, secrets, manifest } = found;
  proxy.plan = () => ({ kind: 'reset' });
  await site.tree.commit(manifest('db', 'one'));
  const operator = await site.start();
  await operator.line(({ code }) => code === 'KUBERNETES_UNREACHABLE');
  assert.match(await operator.get('/healthz'), /^200/);
  assert.match(await operator.get('/readyz'), /^503/);
  proxy.plan = () => undefined;
  await secrets.until('db', holds('one'));
  await operator.line(({ msg }) => msg === 'projected a commit');
  assert.match(await operator.get('/readyz'), /^200/);
  const said = operator.lines.filter(({ code }) => code === 'KUBERNETES_UNREACHABLE');
  assert.equal(said.length, 1, operator.output);
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
  const found = await throughProxy(t);
  if (found === undefined) return;
  const { site, proxy, secrets, manifest } = found;
  const operator = await site.start();
  await operator.line(({ msg }) => msg === 'projected a commit');
  let round = 0;
  for (const [what, fault] of Object.entries(FAULTS)) {
    let requests = 0;
    proxy.plan = ({ url }) => (!/leases/.test(url.pathname) && ++requests % 3 === 0 ? fault : undefined);
    proxy.breakAll();
    const value = `round ${++round}`;
    await site.tree.commit({
      ...manifest('a', value),
      ...manifest('b', value),
      ...manifest(`only-${round}`, value),
      ...(round === 1 ? {} : { [`only-${round - 1}.yaml`]: null }),
    });
    await operator.wake();
    await t.test(what, async () => {
      for (const name of ['a', 'b', `only-${round}`]) await secrets.until(name, holds(value));
      await secrets.until(`only-${round - 1}`, (secret) => secret === undefined);
    });
  }
  proxy.plan = () => undefined;
  assert.deepEqual(
    secrets.names().filter((name) => !name.startsWith('coffer-')),
    ['a', 'b', `only-${round}`],
  );
  assert.equal(await operator.end(), 0);
});

test('nothing of a value gets into what the operator says of faults', async (t) => {
  const found = await throughProxy(t);
  if (found === undefined) return;
  const { site, proxy, manifest } = found;
  const canary = 'canary-of-the-faults';
  const echo = {
    kind: 'Status',
    message: canary,
    details: { causes: [{ message: canary, field: canary.repeat(20) }] },
  };
  proxy.plan = ({ method, url }) =>
    method === 'PATCH' && /secrets/.test(url.pathname) ? { kind: 'status', status: 422, body: echo } : undefined;
  await site.tree.commit(manifest('db', canary));
  const operator = await site.start();
  await operator.line(({ code }) => code === 'KUBERNETES_INVALID');
  const status = await operator.get('/status');
  for (const text of [canary, Buffer.from(canary).toString('base64')]) {
    assert.ok(!operator.output.includes(text));
    assert.ok(!status.includes(text));
  }
});

test('goes on after the API server was down and etcd compacted, with the commits that came meanwhile', async (t) => {
  if ((await sharedCluster(t)) === undefined) return;
  const cluster = await startCluster();
  t.after(() => cluster.stop());
  const { site, secrets, manifest } = await openClusterSite(t, cluster, { namespace: 'default', duration: '3s' });
  await site.tree.commit({ ...manifest('db', 'one'), ...manifest('gone', 'one') });
  const operator = await site.start();
  await secrets.until('db', holds('one'));
  await cluster.stopApiServer();
  const commit = await site.tree.commit({ ...manifest('db', 'two'), 'gone.yaml': null });
  await operator.wake();
  await operator.line((line) => line.msg === 'accepted a commit' && line.commit === commit);
  await cluster.startApiServer();
  await cluster.compactEtcd();
  await secrets.until('db', holds('two'));
  await secrets.until('gone', (secret) => secret === undefined);
  assert.equal(await operator.end(), 0);
});

test('a namespace where the operator may do nothing holds up no other, and comes when it may', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const closed = await newNamespace(t, cluster);
  const namespace = await newNamespace(t, cluster);
  const allow = async (where: string) => {
    await cluster.kubectl('-n', where, 'create', 'role', 'all', '--verb=*', '--resource=*.*');
    await cluster.kubectl(
      '-n',
      where,
      'create',
      'rolebinding',
      'all',
      '--role=all',
      `--serviceaccount=${namespace}:default`,
    );
  };
  await allow(namespace);
  const kubeconfig = await cluster.kubeconfigFor({ namespace, serviceAccount: 'default' });
  const found = await openClusterSite(t, cluster, { kubeconfig, namespace, namespaces: [closed] });
  const { site, admin, secrets, manifest } = found;
  const theirs = site.manifest({ namespace: closed, name: 'theirs', data: { a: 'one' } });
  await site.tree.commit({ ...manifest('ours', 'one'), 'theirs.yaml': theirs });
  const operator = await site.start();
  await secrets.until('ours', holds('one'));
  const refused = await operator.line(({ name, code }) => name === 'theirs' && code === 'KUBERNETES_FORBIDDEN');
  assert.equal(refused.namespace, closed);
  await allow(closed);
  const there = await Onlooker.open<Secret>(t, admin, RESOURCES.secrets, closed);
  await there.until('theirs', holds('one'));
});
