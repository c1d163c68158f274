import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { dump, load } from 'js-yaml';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { connectTo } from '../kubernetes/scene/connect.ts';
import { Onlooker } from '../kubernetes/scene/onlooker.ts';
import { holds, type SecretObject } from '../kubernetes/scene/secret-texts.ts';
import { Site } from '../operator/site.ts';
import { CHART, helmOrSkip, LEAST } from './helm.ts';
import { type Terminal, terminalOf } from './terminal.ts';

const SYSTEM = 'coffer-system';

interface Installed {
  cluster: Cluster;
  terminal: Terminal;
  site: Site;
  app: string;
}

/** A cluster of its own, in which people have made a namespace and did what docs/operations.md says. */
async function install(t: TestContext): Promise<Installed | undefined> {
  if ((await sharedCluster(t)) === undefined || (await helmOrSkip(t)) === undefined) return undefined;
  const cluster = await startCluster({ installCrds: false });
  t.after(() => cluster.stop());
  const terminal = await terminalOf(t, cluster.kubeconfig);
  const site = await Site.open(t);
  const app = await newNamespace(t, cluster, 'app');
  terminal.write('values.yaml', dump({ ...LEAST, namespaces: [app], git: { secretName: 'coffer-git' } }));
  terminal.write('username', 'reader');
  terminal.write('password', 'of-the-reader');
  await terminal.run('Install', /^kubectl create namespace coffer-system$/);
  await terminal.run('Install', /^kubectl create secret generic coffer-git /);
  await cluster.kubectl('create', 'secret', 'generic', 'coffer-keys', '-n', SYSTEM, `--from-file=${site.path('keys')}`);
  await terminal.run('Install', /^helm install coffer /);
  return { cluster, terminal, site, app };
}

/** The configuration that the chart made, for a process on this machine with the rights of the chart's ServiceAccount. */
async function configureAsInPod({ cluster, site }: Installed): Promise<void> {
  const kubeconfig = await cluster.kubeconfigFor({ namespace: SYSTEM, serviceAccount: 'coffer-operator' });
  const text = await cluster.kubectl(
    'get',
    'configmap',
    'coffer-operator',
    '-n',
    SYSTEM,
    '-o',
    'jsonpath={.data.operator\\.yaml}',
  );
  const config = load(text) as Record<string, object> & { projections: { volumes?: object }[] };
  writeFileSync(
    site.path('operator.yaml'),
    dump({
      ...config,
      state: { directory: 'state' },
      audit: { directory: 'audit' },
      pins: { file: 'pins' },
      sources: [{ git: { url: 'repository', interval: '1h' } }],
      projections: config.projections.map(({ volumes, ...other }) =>
        volumes === undefined ? other : { volumes: { ...volumes, listen: '127.0.0.1:0' } },
      ),
      kubernetes: { ...config.kubernetes, kubeconfig },
      serve: { listen: '127.0.0.1:0' },
    }),
  );
}

test('after helm install a commit becomes a Secret, by the rights of the chart and no others; upgrade and uninstall leave it', async (t) => {
  const installed = await install(t);
  if (installed === undefined) return;
  const { cluster, terminal, site, app } = installed;
  await configureAsInPod(installed);
  const client = await connectTo(t, cluster.kubeconfig, { namespace: SYSTEM });
  const secrets = await Onlooker.open<SecretObject>(t, client, RESOURCES.secrets, app);
  await site.tree.commit({ 'db.yaml': site.manifest({ namespace: app, name: 'db', data: { password: 'first' } }) });
  const operator = await site.start();
  await secrets.until('db', (secret) => holds(secret, { password: 'first' }), 'the first value');
  const refusals = () => operator.lines.filter(({ code }) => String(code).includes('FORBIDDEN'));
  await site.push(operator, { 'db.yaml': site.manifest({ namespace: app, name: 'db', data: { password: 'second' } }) });
  await secrets.until('db', (secret) => holds(secret, { password: 'second' }), 'the second value');
  assert.deepEqual(refusals(), []);

  await terminal.run('Upgrade', /^helm upgrade coffer /);
  assert.equal(await operator.end(), 0);
  await terminal.run('Upgrade', /^helm uninstall coffer /);
  assert.ok(holds(await client.get(RESOURCES.secrets, { namespace: app, name: 'db' }), { password: 'second' }));
  assert.ok(await client.get(RESOURCES.encryptedSecrets, { namespace: app, name: 'db' }), 'its mirror is gone');
  assert.ok(await client.get(RESOURCES.secrets, { namespace: SYSTEM, name: 'coffer-keys' }), 'the keys are gone');
  const left = await cluster.kubectl(
    'get',
    'statefulsets,daemonsets,roles,validatingadmissionpolicies',
    '-A',
    '-l',
    'app.kubernetes.io/name=coffer',
    '-o',
    'name',
  );
  assert.equal(left, '');
});

test('deploy/install.yaml is taken whole by an API server that has nothing of coffer', async (t) => {
  if ((await sharedCluster(t)) === undefined) return;
  const cluster = await startCluster({ installCrds: false, controllers: false });
  t.after(() => cluster.stop());
  const file = `${CHART}/../../install.yaml`;
  assert.match(readFileSync(file, 'utf8'), /kind: CustomResourceDefinition/);
  await cluster.kubectl('apply', '--server-side', '-f', file);
});

test('the values of the quickstart for kind give a chart', async (t) => {
  const helm = await helmOrSkip(t);
  if (helm === undefined) return;
  const { status, stderr } = await helm(['template', 'coffer', CHART, '--values', `${CHART}/../../kind-values.yaml`]);
  assert.equal(status, 0, stderr);
});
