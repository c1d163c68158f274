import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sharedCluster } from '../cluster/shared.ts';
import { eventually, type OperatorProcess } from '../operator/site.ts';
import { FaultProxy } from '../servers/fault-proxy.ts';
import { KubernetesStage, type StageOptions } from './scene/stage.ts';

/** A stage whose operator reaches the API server through a proxy. */
async function behindProxy(
  t: TestContext,
  options: StageOptions,
): Promise<{ stage: KubernetesStage; proxy: FaultProxy } | undefined> {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  const proxy = await FaultProxy.start(cluster);
  t.after(() => proxy.close());
  const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
  const stage = await KubernetesStage.open(t, { kubernetesCluster: cluster, kubeconfig, ...options });
  return stage && { stage, proxy };
}

/** Where both wait for each other: a busy machine may hold up all renewals for a while. */
const QUICK = { leaderElection: { duration: '8s' } };

interface Pair {
  stage: KubernetesStage;
  leader: OperatorProcess;
  standby: OperatorProcess;
  /** Between the leader and the API server. */
  proxy: FaultProxy;
}

/** Two replicas of one operator, each with its own state; the first leads and has projected `db`. */
async function pair(t: TestContext, kubernetes: StageOptions['kubernetes'] = QUICK): Promise<Pair | undefined> {
  const found = await behindProxy(t, { kubernetes });
  if (found === undefined) return undefined;
  const { stage, proxy } = found;
  await stage.commit(stage.files({ name: 'db', data: { a: 'one' } }));
  const leader = await stage.startAndProject();
  const configuration = { state: { directory: 'second/state' }, audit: { directory: 'second/audit' } };
  stage.configure({ kubernetes, configuration });
  const standby = await stage.start();
  await standby.line(({ msg }) => msg === 'standing by');
  return { stage, leader, standby, proxy };
}

const leads = ({ msg }: { msg: string }) => msg === 'leading';

test('a standby is ready and writes nothing; it takes over at once when the leader ends', async (t) => {
  // Nobody waits for a lease to end here: the longer it is, the longer a busy machine may hold up its renewal.
  const found = await pair(t, { leaderElection: { duration: '20s' } });
  if (found === undefined) return;
  const { stage, leader, standby } = found;
  await eventually(async () => assert.match(await standby.get('/readyz'), /^200/));
  await eventually(async () => assert.match(await standby.get('/metrics'), /^coffer_leader 0$/m));
  await stage.push(leader, stage.files({ name: 'db', data: { a: 'two' } }));
  await stage.secretIs(stage.app, 'db', { a: 'two' });
  const secrets = await stage.secrets();
  const version = secrets.get('db')?.metadata.resourceVersion;
  assert.equal(await leader.end(), 0);
  await standby.line(({ msg }) => msg === 'projected a commit');
  assert.equal(secrets.get('db')?.metadata.resourceVersion, version, 'what is right is not written again');
  await stage.push(standby, stage.files({ name: 'db', data: { a: 'three' } }));
  await stage.secretIs(stage.app, 'db', { a: 'three' });
});

test('another replica takes over from a leader that is killed', async (t) => {
  const found = await pair(t);
  if (found === undefined) return;
  const { stage, leader, standby } = found;
  await leader.kill();
  await standby.line(leads);
  await stage.push(standby, stage.files({ name: 'db', data: { a: 'two' } }));
  await stage.secretIs(stage.app, 'db', { a: 'two' });
});

test('a leader that was paused while another took over writes nothing and ends with 1', async (t) => {
  const found = await pair(t);
  if (found === undefined) return;
  const { stage, leader, standby, proxy } = found;
  // While it sleeps there comes work for it: its Secret is changed, and a commit and a wake wait.
  leader.child.kill('SIGSTOP');
  await standby.line(leads);
  await stage.push(standby, stage.files({ name: 'db', data: { a: 'two' } }));
  await stage.secretIs(stage.app, 'db', { a: 'two' });
  const before = proxy.seen.length;
  const woken = leader.wake().catch((error: Error) => error);
  leader.child.kill('SIGCONT');
  assert.equal(await leader.exit(), 1);
  await woken;
  const writes = proxy.seen.slice(before).filter(({ method, url }) => method !== 'GET' && !/leases/.test(url.pathname));
  assert.deepEqual(writes, []);
  await stage.secretIs(stage.app, 'db', { a: 'two' });
  assert.ok(leader.lines.some(({ code }) => code === 'KUBERNETES_NOT_LEADER'));
});

test('a leader that cannot reach the API server for longer than its lease goes on where nobody else took it', async (t) => {
  const found = await behindProxy(t, { kubernetes: { leaderElection: { duration: '2s' } } });
  if (found === undefined) return;
  const { stage, proxy } = found;
  const operator = await stage.startAndProject();
  proxy.plan = () => ({ kind: 'reset' });
  proxy.breakAll();
  await eventually(async () => assert.match(await operator.get('/metrics'), /^coffer_leader 0$/m));
  await stage.commit(stage.files({ name: 'db', data: { a: 'one' } }));
  await operator.wake();
  await operator.line(({ code }) => code === 'KUBERNETES_UNREACHABLE');
  proxy.plan = () => undefined;
  await stage.secretIs(stage.app, 'db', { a: 'one' });
  assert.equal(await operator.end(), 0);
});
