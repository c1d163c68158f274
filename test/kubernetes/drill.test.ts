import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { CLUSTER_PARTS, type Cluster, startCluster } from '../cluster/cluster.ts';
import { eventually, type OperatorProcess, Site } from '../operator/site.ts';
import { partOrSkip } from '../parts/parts.ts';
import { connectTo } from './scene/connect.ts';
import { Engineer } from './scene/engineer.ts';
import { Onlooker } from './scene/onlooker.ts';
import { holds, type SecretObject } from './scene/secret-texts.ts';

/** As the chart installs it: keys in a Secret of its namespace, manifests from the engineer's repository. */
async function install(t: TestContext, cluster: Cluster, name: string, engineer: Engineer): Promise<OperatorProcess> {
  const site = await Site.open(t);
  site.configure({
    cluster: name,
    keys: { kubernetesSecret: {} },
    kubernetes: { kubeconfig: cluster.kubeconfig, namespace: 'coffer-system' },
    sources: [{ git: { url: engineer.folder, interval: '1h' } }],
    projections: [{ kubernetesSecrets: { namespaces: ['payments'] } }],
  });
  return await site.start();
}

async function secretsOf(t: TestContext, cluster: Cluster): Promise<Onlooker<SecretObject>> {
  const client = await connectTo(t, cluster.kubeconfig, { namespace: 'payments' });
  return await Onlooker.open<SecretObject>(t, client, RESOURCES.secrets, 'payments');
}

async function startEmpty(t: TestContext): Promise<Cluster> {
  const cluster = await startCluster({ controllers: false });
  t.after(() => cluster.stop());
  await cluster.kubectl('create', 'namespace', 'payments');
  return cluster;
}

/** A repository with one manifest, sealed to a cluster whose keys nobody has any more and to the recovery key. */
async function afterTheFire(t: TestContext): Promise<Engineer> {
  const engineer = await Engineer.open();
  t.after(() => engineer.remove());
  engineer.coffer(['init']);
  const keys = (name: string) => ['--key-dir', join(engineer.home, name)];
  engineer.coffer(['recipients', 'create', 'production', '--type', 'cluster', ...keys('production')]);
  engineer.coffer(['recipients', 'create', 'recovery', '--type', 'recovery', ...keys('recovery')]);
  const to = ['--recipient', 'production', '--recipient', 'recovery', '--reader', 'api'];
  engineer.coffer(['new', 'payments/db', ...to, '-o', 'db.yaml']);
  engineer.coffer(['set', 'db.yaml', 'a'], 'survives');
  engineer.commit('Begin');
  rmSync(join(engineer.home, 'production'), { recursive: true });
  return engineer;
}

test('the drills of docs/operations.md, by the commands that it shows', async (t) => {
  for (const part of CLUSTER_PARTS) if ((await partOrSkip(t, part)) === undefined) return;
  const [first, second] = await Promise.all([startEmpty(t), startEmpty(t)]);
  const engineer = await afterTheFire(t);

  await t.test(
    'everything is gone but git and the recovery key: a new cluster takes the place of the old one',
    async (t) => {
      engineer.knows({ 'production-2': first });
      engineer.kubectl('create', 'namespace', 'coffer-system');
      const secrets = await secretsOf(t, first);
      const operator = await install(t, first, 'production-2', engineer);
      const { msg } = await operator.line((line) => line.msg.startsWith('waiting to be enrolled'));
      const [identity = ''] = /coffer-identity-1-\S+/.exec(msg) ?? [];
      engineer.follows('enroll production-2', `--identity ${identity}`);
      engineer.follows('replace production production-2');
      await operator.wake();
      await secrets.until('db', (secret) => holds(secret, { a: 'survives' }));
      assert.equal(engineer.try(['check', '--strict']).status, 0);
      const watched = engineer.try(['status', '--context', 'production-2', '--watch', '--json']);
      const [cluster] = JSON.parse(watched.stdout).clusters;
      assert.deepEqual([watched.status, cluster.cluster, cluster.isDone], [0, 'production-2', true]);
      assert.equal(await operator.end(), 0);
    },
  );

  await t.test('a cluster is restored into a new one from its keys, with nothing to enrol or to seal', async (t) => {
    engineer.follows('kubectl get secret coffer-keys');
    const commit = engineer.git('rev-parse', 'HEAD');
    engineer.knows({ 'production-2': second });
    const secrets = await secretsOf(t, second);
    engineer.follows('kubectl create namespace coffer-system');
    engineer.follows('kubectl create --namespace coffer-system --filename coffer-keys.yaml');
    const operator = await install(t, second, 'production-2', engineer);
    await secrets.until('db', (secret) => holds(secret, { a: 'survives' }));
    // The record is signed a moment after it is written.
    await eventually(async () => assert.deepEqual((await operator.status()).problems, []));
    assert.equal(engineer.git('rev-parse', 'HEAD'), commit);
    assert.equal(await operator.end(), 0);
  });
});
