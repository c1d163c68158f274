/** Workloads that roll when what they read changes, with the controllers of a real cluster. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openRestarts, type Restarts } from '../../operator/project/restart/restarts.ts';
import { DIGEST, READ_STATE } from '../../operator/project/restart/workload.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { untilAllowed } from './scene/access.ts';
import { connectTo } from './scene/connect.ts';
import { env, Rollouts } from './scene/rollouts.ts';

const NO_ERRORS: never[] = [];

/** The operator's part in a run of it, over Secrets that hold what the test says. */
class Run {
  readonly restarts: Restarts;
  readonly stop: () => Promise<void>;

  constructor(restarts: Restarts, stop: () => Promise<void>) {
    this.restarts = restarts;
    this.stop = stop;
  }

  /** The values stand for their digests. */
  hold(namespace: string, secrets: Record<string, Record<string, string>>): void {
    for (const [name, entries] of Object.entries(secrets)) {
      this.restarts.holds(namespace, name, new Map(Object.entries(entries)));
    }
  }

  /** A commit that is done: no failures. */
  async notify(): Promise<void> {
    assert.deepEqual(await this.restarts.notify(), NO_ERRORS);
  }
}

class Scene extends Rollouts {
  async run(
    secrets: Record<string, Record<string, string>>,
    { digestKeyId = 'key1', kubeconfig = this.cluster.kubeconfig } = {},
  ): Promise<Run> {
    const client = await connectTo(this.t, kubeconfig);
    const restarts = openRestarts({ client, namespaces: [this.namespace], digestKeyId });
    const end = new AbortController();
    const running = restarts.run(end.signal);
    const stop = async () => {
      end.abort();
      await running;
    };
    this.t.after(stop);
    const run = new Run(restarts, stop);
    run.hold(this.namespace, secrets);
    await restarts.begin();
    return run;
  }

  /** The state that the operator wrote down. */
  recorded(name: string, text: RegExp): Promise<unknown> {
    return this.deployments.until(name, (object) => text.test(object?.metadata.annotations?.[READ_STATE] ?? ''));
  }
}

async function scene(t: TestContext): Promise<Scene | undefined> {
  const cluster = await sharedCluster(t);
  return cluster && Scene.open(t, cluster, await newNamespace(t, cluster, 'restart'));
}

const V1 = { db: { PASSWORD: 'p1', USERNAME: 'u1' }, tls: { KEY: 'k1' } };

test('a workload rolls once for each real change of an entry that it reads: not at first sight, at restarts, at resyncs, or for other entries', async (t) => {
  const at = await scene(t);
  if (!at) return;
  const { namespace } = at;
  await at.deploy('one', env('db', 'PASSWORD'));
  await at.deploy('whole', { volumes: [{ name: 'v', secret: { secretName: 'db' } }] });
  await at.deploy('label', env('db', 'PASSWORD'), { labels: { 'coffer.dev/restart-on-change': 'true' } });
  await at.deploy('unasked', env('db', 'PASSWORD'), {});
  const rolls = async () => [
    await at.rolls('one'),
    await at.rolls('whole'),
    await at.rolls('label'),
    await at.rolls('unasked'),
  ];

  const first = await at.run(V1);
  await first.notify();
  first.hold(namespace, V1);
  await first.notify();
  assert.deepEqual(await rolls(), [1, 1, 1, 1]);

  first.hold(namespace, { db: { PASSWORD: 'p1', USERNAME: 'u2' } });
  await first.notify();
  assert.deepEqual(await rolls(), [1, 2, 1, 1]);
  first.hold(namespace, { db: { PASSWORD: 'p2', USERNAME: 'u2' } });
  await first.notify();
  await first.notify();
  assert.deepEqual(await rolls(), [2, 3, 2, 1]);
  await first.stop();

  const second = await at.run({ db: { PASSWORD: 'p2', USERNAME: 'u2' }, tls: { KEY: 'k1' } });
  await second.notify();
  assert.deepEqual(await rolls(), [2, 3, 2, 1]);
  await second.stop();
  const otherKey = await at.run({ db: { PASSWORD: 'x2', USERNAME: 'y2' } }, { digestKeyId: 'key2' });
  await otherKey.notify();
  assert.deepEqual(await rolls(), [2, 3, 2, 1]);
  otherKey.hold(namespace, { db: { PASSWORD: 'x3', USERNAME: 'y2' } });
  await otherKey.notify();
  assert.deepEqual(await rolls(), [3, 4, 3, 1]);
});

test('several secrets of one commit are one roll, and a change that is taken back before is none', async (t) => {
  const at = await scene(t);
  if (!at) return;
  await at.deploy('both', { ...env('db', 'PASSWORD'), imagePullSecrets: [{ name: 'tls' }] });
  const run = await at.run(V1);
  run.hold(at.namespace, { db: { PASSWORD: 'p2' }, tls: { KEY: 'k2' } });
  await run.notify();
  assert.equal(await at.rolls('both'), 2);
  run.hold(at.namespace, { db: { PASSWORD: 'p3' } });
  run.hold(at.namespace, { db: { PASSWORD: 'p2' } });
  await run.notify();
  assert.equal(await at.rolls('both'), 2);
});

test('a roll that a killed operator owed is made at the next start', async (t) => {
  const at = await scene(t);
  if (!at) return;
  await at.deploy('owed', env('db', 'PASSWORD'));
  const killed = await at.run(V1);
  await at.recorded('owed', /^key1 db\/PASSWORD=/);
  killed.hold(at.namespace, { db: { PASSWORD: 'p2' } });
  await killed.stop();
  const next = await at.run({ db: { PASSWORD: 'p2' } });
  assert.equal(await at.rolls('owed'), 1);
  await next.notify();
  assert.equal(await at.rolls('owed'), 2);
});

test('a GitOps tool that sets the template back, or the whole object, causes no second roll until the next real change', async (t) => {
  const at = await scene(t);
  if (!at) return;
  await at.deploy('reverted', env('db', 'PASSWORD'));
  const run = await at.run(V1);
  run.hold(at.namespace, { db: { PASSWORD: 'p2' } });
  await run.notify();
  assert.equal(await at.rolls('reverted'), 2);
  const revert = { spec: { template: { metadata: { annotations: { [DIGEST]: null } } } } };
  await at.patch('reverted', revert);
  await run.notify();
  await at.patch('reverted', { metadata: { annotations: { [READ_STATE]: null } } });
  await run.notify();
  assert.equal(await at.rolls('reverted'), 2, 'the controller took up the first ReplicaSet again');
  await run.stop();

  const next = await at.run({ db: { PASSWORD: 'p2' } });
  await next.notify();
  const { spec } = at.deployments.get('reverted') ?? {};
  assert.equal(spec?.template.metadata.annotations?.[DIGEST], undefined);
  next.hold(at.namespace, { db: { PASSWORD: 'p3' } });
  await next.notify();
  assert.equal(await at.rolls('reverted'), 3);
});

test('a workload that appears later, reads something else, or is made anew is taken as it is, and rolls at the next change', async (t) => {
  const at = await scene(t);
  if (!at) return;
  const run = await at.run(V1);
  await at.deploy('later', env('db', 'PASSWORD'));
  await at.recorded('later', /^key1 db\/PASSWORD=/);
  await at.patch('later', { spec: { template: { spec: { imagePullSecrets: [{ name: 'tls' }] } } } });
  await at.recorded('later', / tls=/);
  await run.notify();
  assert.equal(await at.rolls('later'), 2, 'the one of the new template');
  run.hold(at.namespace, { tls: { KEY: 'k2' } });
  await run.notify();
  assert.equal(await at.rolls('later'), 3);
  await at.cluster.admin.expect('DELETE', `/apis/apps/v1/namespaces/${at.namespace}/deployments/later`);
  await at.deployments.until('later', (object) => object === undefined);
  await at.deploy('later', env('db', 'USERNAME'));
  await at.recorded('later', /^key1 db\/USERNAME=\S+$/);
  await run.notify();
  run.hold(at.namespace, { db: { PASSWORD: 'p9', USERNAME: 'u1' } });
  await run.notify();
  const { spec } = at.deployments.get('later') ?? {};
  assert.equal(spec?.template.metadata.annotations?.[DIGEST], undefined);
});

test('a Secret that comes, goes and comes back as it was rolls nothing; an optional one that comes does', async (t) => {
  const at = await scene(t);
  if (!at) return;
  await at.deploy('needs', env('db', 'PASSWORD'));
  await at.deploy('may', env('db', 'PASSWORD', true));
  const run = await at.run({});
  run.hold(at.namespace, V1);
  await run.notify();
  assert.deepEqual([await at.rolls('needs'), await at.rolls('may')], [1, 2]);
  run.restarts.gone(at.namespace, 'db');
  await run.notify();
  run.hold(at.namespace, V1);
  await run.notify();
  assert.deepEqual([await at.rolls('needs'), await at.rolls('may')], [1, 2]);
  run.hold(at.namespace, { db: { PASSWORD: 'p2' } });
  await run.notify();
  assert.deepEqual([await at.rolls('needs'), await at.rolls('may')], [2, 3]);
});

test('a paused rollout takes up several changes as one when it is resumed', async (t) => {
  const at = await scene(t);
  if (!at) return;
  await at.deploy('paused', env('db', 'PASSWORD'));
  const run = await at.run(V1);
  await at.patch('paused', { spec: { paused: true } });
  for (const password of ['p2', 'p3']) {
    run.hold(at.namespace, { db: { PASSWORD: password } });
    await run.notify();
  }
  assert.equal(await at.rolls('paused'), 1);
  await at.patch('paused', { spec: { paused: false } });
  assert.equal(await at.rolls('paused'), 2);
});

test('StatefulSets and DaemonSets roll too; one that the operator may not change fails alone, and is tried again', async (t) => {
  const at = await scene(t);
  if (!at) return;
  const { admin } = at.cluster;
  const pod = { metadata: { labels: { app: 'x' } }, spec: env('db', 'PASSWORD') };
  const spec = { selector: { matchLabels: { app: 'x' } }, template: pod };
  const metadata = { name: 'x', labels: { 'coffer.dev/restart-on-change': 'true' } };
  const path = (plural: string) => `/apis/apps/v1/namespaces/${at.namespace}/${plural}`;
  await admin.expect('POST', path('statefulsets'), { metadata, spec: { ...spec, serviceName: 'x', replicas: 0 } });
  await admin.expect('POST', path('daemonsets'), { metadata, spec });
  const rolled = async (plural: string) => {
    const { spec: now } = JSON.parse(await admin.expect('GET', `${path(plural)}/x`));
    return now.template.metadata.annotations?.[DIGEST] !== undefined;
  };

  const user = { namespace: at.namespace, serviceAccount: 'default' };
  const role = `/apis/rbac.authorization.k8s.io/v1/namespaces/${at.namespace}`;
  const look = { apiGroups: ['apps'], resources: ['*'], verbs: ['get', 'list', 'watch'] };
  const change = { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['patch'] };
  await admin.expect('POST', `${role}/roles`, { metadata: { name: 'roller' }, rules: [look, change] });
  await admin.expect('POST', `${role}/rolebindings`, {
    metadata: { name: 'roller' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'roller' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: at.namespace }],
  });
  const patching = { namespace: at.namespace, group: 'apps', resource: 'statefulsets', verb: 'patch' };
  await untilAllowed(at.cluster, `system:serviceaccount:${at.namespace}:default`, patching);
  const run = await at.run(V1, { kubeconfig: await at.cluster.kubeconfigFor(user) });
  run.hold(at.namespace, { db: { PASSWORD: 'p2' } });
  const [failure, ...others] = await run.restarts.notify();
  assert.deepEqual([failure?.code, failure?.data.workload, others], ['RESTART_FAILED', `${at.namespace}/x`, []]);
  assert.deepEqual([await rolled('statefulsets'), await rolled('daemonsets')], [true, false]);
  await admin.expect('PUT', `${role}/roles/roller`, {
    metadata: { name: 'roller' },
    rules: [look, { ...change, resources: ['daemonsets'] }],
  });
  while ((await run.restarts.notify()).length > 0);
  assert.equal(await rolled('daemonsets'), true);
});
