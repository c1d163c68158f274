import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sharedCluster } from '../cluster/shared.ts';
import { eventually, type OperatorProcess } from '../operator/site.ts';
import { FaultProxy } from '../servers/fault-proxy.ts';
import { type ClusterSite, holds, openClusterSite } from './cluster-site.ts';

interface Pair extends ClusterSite {
  leader: OperatorProcess;
  standby: OperatorProcess;
  /** Between the leader and the API server. */
  proxy: FaultProxy;
}

/** Two replicas of one operator, each with its own state; the first leads and has projected `db`. */
async function pair(t: TestContext): Promise<Pair | undefined> {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  const proxy = await FaultProxy.start(cluster);
  t.after(() => proxy.close());
  const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
  const found = await openClusterSite(t, cluster, { kubeconfig, duration: '3s' });
  await found.site.tree.commit(found.manifest('db', 'one'));
  const leader = await found.site.start();
  await leader.line(({ msg }) => msg === 'projected a commit');
  found.replica('second', cluster.kubeconfig);
  const standby = await found.site.start();
  await standby.line(({ msg }) => msg === 'standing by');
  return { ...found, leader, standby, proxy };
}

const leads = ({ msg }: { msg: string }) => msg === 'leading';

test('a standby is ready and writes nothing; it takes over at once when the leader ends', async (t) => {
  const found = await pair(t);
  if (found === undefined) return;
  const { site, leader, standby, secrets, manifest } = found;
  assert.match(await standby.get('/readyz'), /^200/);
  assert.match(await standby.get('/metrics'), /^coffer_leader 0$/m);
  await site.push(leader, manifest('db', 'two'));
  await secrets.until('db', holds('two'));
  const version = secrets.get('db')?.metadata.resourceVersion;
  assert.equal(await leader.end(), 0);
  await standby.line(({ msg }) => msg === 'projected a commit');
  assert.equal(secrets.get('db')?.metadata.resourceVersion, version, 'what is right is not written again');
  await site.push(standby, manifest('db', 'three'));
  await secrets.until('db', holds('three'));
});

test('another replica takes over from a leader that is killed', async (t) => {
  const found = await pair(t);
  if (found === undefined) return;
  const { site, leader, standby, secrets, manifest } = found;
  await leader.kill();
  await standby.line(leads);
  await site.push(standby, manifest('db', 'two'));
  await secrets.until('db', holds('two'));
});

test('a leader that was paused while another took over writes nothing and ends with 1', async (t) => {
  const found = await pair(t);
  if (found === undefined) return;
  const { site, leader, standby, proxy, secrets, manifest } = found;
  // While it sleeps there is work for it: the secret that it projected is changed, and a new commit waits.
  leader.child.kill('SIGSTOP');
  await standby.line(leads);
  await site.push(standby, manifest('db', 'two'));
  await secrets.until('db', holds('two'));
  const before = proxy.seen.length;
  leader.child.kill('SIGCONT');
  await leader.wake().catch(() => {});
  assert.equal(await leader.exit(), 1);
  const writes = proxy.seen.slice(before).filter(({ method, url }) => method !== 'GET' && !/leases/.test(url.pathname));
  assert.deepEqual(writes, []);
  assert.ok(holds('two')(secrets.get('db')));
  assert.ok(leader.lines.some(({ code }) => code === 'KUBERNETES_NOT_LEADER'));
});

test('a leader that cannot reach the API server for longer than its lease goes on where nobody else took it', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const proxy = await FaultProxy.start(cluster);
  t.after(() => proxy.close());
  const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
  const { site, secrets, manifest } = await openClusterSite(t, cluster, { kubeconfig, duration: '2s' });
  const operator = await site.start();
  await operator.line(({ msg }) => msg === 'projected a commit');
  proxy.plan = () => ({ kind: 'reset' });
  proxy.breakAll();
  await eventually(async () => assert.match(await operator.get('/metrics'), /^coffer_leader 0$/m));
  await site.tree.commit(manifest('db', 'one'));
  await operator.wake();
  await operator.line(({ code }) => code === 'KUBERNETES_UNREACHABLE');
  proxy.plan = () => undefined;
  await secrets.until('db', holds('one'));
  assert.equal(await operator.end(), 0);
});
