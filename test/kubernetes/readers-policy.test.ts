/** The admission policy of the readers, on a real API server: what it refuses, and what it leaves alone. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { REFERENCE_FIELDS } from '../../operator/project/readers/pod-references.ts';
import { POLICY_FILE, policyText } from '../../operator/project/readers/policy-text.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { measurePodCreation } from './scene/pod-creation.ts';
import { samples } from './scene/reference-samples.ts';

const SECRET = 'guarded';
const ROWS = {
  [SECRET]: ['reader', 'worker/PASSWORD'],
  shared: ['*'],
  parts: ['*/PUBLIC', 'worker/PASSWORD'],
  none: [],
};
const ACCOUNTS = ['reader', 'worker', 'stranger'];

interface Answer {
  status: number;
  message: string;
}

/** A namespace with its ServiceAccounts and, once told, its readers. */
class Guarded {
  readonly namespace: string;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.namespace = namespace;
  }

  static async open(t: TestContext, cluster: Cluster): Promise<Guarded> {
    const namespace = await newNamespace(t, cluster, 'readers');
    const guarded = new Guarded(cluster, namespace);
    for (const name of ACCOUNTS) await guarded.ask('POST', '/api/v1', 'serviceaccounts', { metadata: { name } });
    return guarded;
  }

  /** Returns when the API server's own cache has it. */
  async say(secrets: object): Promise<void> {
    await this.ask('POST', '/apis/coffer.dev/v1', 'secretreaders', {
      apiVersion: 'coffer.dev/v1',
      kind: 'SecretReaders',
      metadata: { name: 'coffer' },
      spec: { secrets: { ...secrets, canary: [] } },
    });
    const probe = { containers: [{ name: 'main', image: 'none', envFrom: [{ secretRef: { name: 'canary' } }] }] };
    while ((await this.pod(probe, 'reader')).status < 300);
  }

  async ask(method: string, root: string, path: string, body?: object, contentType?: string): Promise<Answer> {
    const url = `${root}/namespaces/${this.namespace}/${path}`;
    const { status, text } = await this.#cluster.admin.ask(method, url, body, contentType);
    return { status, message: JSON.parse(text).message ?? '' };
  }

  pod(spec: object, serviceAccountName: string | undefined): Promise<Answer> {
    const pod = { metadata: { generateName: 'pod-' }, spec: { ...spec, serviceAccountName } };
    return this.ask('POST', '/api/v1', 'pods?dryRun=All', pod);
  }
}

const TEMPLATES: [kind: string, root: string, plural: string, spec: (pod: object) => object][] = [
  ['Deployment', '/apis/apps/v1', 'deployments', (pod) => ({ selector: selector(), template: template(pod) })],
  ['ReplicaSet', '/apis/apps/v1', 'replicasets', (pod) => ({ selector: selector(), template: template(pod) })],
  ['DaemonSet', '/apis/apps/v1', 'daemonsets', (pod) => ({ selector: selector(), template: template(pod) })],
  [
    'StatefulSet',
    '/apis/apps/v1',
    'statefulsets',
    (pod) => ({ serviceName: 'none', selector: selector(), template: template(pod) }),
  ],
  ['ReplicationController', '/api/v1', 'replicationcontrollers', (pod) => ({ template: template(pod) })],
  ['Job', '/apis/batch/v1', 'jobs', (pod) => ({ template: template({ ...pod, restartPolicy: 'Never' }) })],
  [
    'CronJob',
    '/apis/batch/v1',
    'cronjobs',
    (pod) => ({
      schedule: '0 0 1 1 *',
      jobTemplate: { spec: { template: template({ ...pod, restartPolicy: 'Never' }) } },
    }),
  ],
];

function selector() {
  return { matchLabels: { app: 'test' } };
}

function template(spec: object) {
  return { metadata: { labels: { app: 'test' } }, spec };
}

function env(secret: string, key: string) {
  const variable = { name: 'VARIABLE', valueFrom: { secretKeyRef: { name: secret, key } } };
  return { containers: [{ name: 'main', image: 'none', env: [variable] }] };
}

test('the policy that the chart includes is the one that the table of reference fields gives', () => {
  assert.equal(readFileSync(POLICY_FILE, 'utf8'), policyText(), 'run node operator/project/readers/write-policy.ts');
});

test('every way in which the API lets a pod name a Secret is refused to who is no reader, with a message that names who is', async (t) => {
  const cluster = await sharedCluster(t);
  if (!cluster) return;
  const guarded = await Guarded.open(t, cluster);
  const all = samples(SECRET, 'PASSWORD');
  for (const name of ACCOUNTS) {
    const pod = {
      metadata: { name },
      spec: { containers: [{ name: 'main', image: 'none' }], serviceAccountName: name },
    };
    assert.equal((await guarded.ask('POST', '/api/v1', 'pods', pod)).status, 201);
  }
  await guarded.say(ROWS);
  const answers = await Promise.all(
    all.flatMap(({ at, isLimited, spec }) =>
      ACCOUNTS.map(async (account) => {
        const { ephemeralContainers } = spec;
        const answer =
          ephemeralContainers === undefined
            ? await guarded.pod(spec, account)
            : await guarded.ask(
                'PATCH',
                '/api/v1',
                `pods/${account}/ephemeralcontainers?dryRun=All`,
                { spec: { ephemeralContainers } },
                'application/strategic-merge-patch+json',
              );
        const isAllowed = account === 'reader' || (account === 'worker' && isLimited);
        return { at, isLimited, account, isAllowed, ...answer };
      }),
    ),
  );
  assert.equal(answers.length, 3 * all.length);
  for (const { at, isLimited, account, isAllowed, status, message } of answers) {
    const row = `${at} ${isLimited ? 'limited' : 'whole'} by ${account}: ${message}`;
    if (isAllowed) assert.ok(status < 300, row);
    else {
      assert.ok(status === 403 || status === 422, row);
      assert.match(
        message,
        new RegExp(`ServiceAccount ${account} may not read .*Secret ${SECRET} \\(readers: reader, worker/PASSWORD\\)`),
        row,
      );
    }
  }
});

test('the table of reference fields holds every field of a pod in which the API server takes the name of a Secret', async (t) => {
  const cluster = await sharedCluster(t);
  if (!cluster) return;
  const { components } = JSON.parse(await cluster.admin.expect('GET', '/openapi/v3/api/v1'));
  const found = new Set<string>();
  const walk = (name: string, path: string) => {
    for (const [property, schema] of Object.entries<Record<string, never>>(components.schemas[name].properties ?? {})) {
      const of = JSON.stringify(schema).match(/#\/components\/schemas\/([\w.]+)/)?.[1] ?? '';
      const at = [...(path === '' ? [] : [path]), schema.type === 'array' ? `${property}[]` : property].join('.');
      if (/\.(LocalObjectReference|\w*Secret\w*)$/.test(of)) found.add(at);
      else if (of !== '') walk(of, at);
      // A secretFile is a path on the node.
      else if (/secret/i.test(property) && property !== 'secretFile' && schema.type === 'string') found.add(path);
    }
  };
  walk('io.k8s.api.core.v1.PodSpec', '');
  assert.deepEqual([...found].sort(), REFERENCE_FIELDS.map(({ at }) => at).sort());
});

test('templates of every kind of workload are judged as pods are', async (t) => {
  const cluster = await sharedCluster(t);
  if (!cluster) return;
  const guarded = await Guarded.open(t, cluster);
  await guarded.say(ROWS);
  for (const [kind, root, plural, spec] of TEMPLATES) {
    for (const [account, isAllowed] of [
      ['stranger', false],
      ['reader', true],
    ] as const) {
      const object = {
        metadata: { name: 'test' },
        spec: spec({ ...env(SECRET, 'USERNAME'), serviceAccountName: account }),
      };
      const { status, message } = await guarded.ask('POST', root, `${plural}?dryRun=All`, object);
      assert.equal(status < 300, isAllowed, `${kind} ${account} ${message}`);
      if (!isAllowed) assert.match(message, /ServiceAccount stranger may not read USERNAME of Secret guarded/);
    }
  }
});

test("who may read: any ServiceAccount, the default one, one entry, nobody; other Secrets are nobody's business", async (t) => {
  const cluster = await sharedCluster(t);
  if (!cluster) return;
  const guarded = await Guarded.open(t, cluster);
  await guarded.say({ ...ROWS, 'of-default': ['default'] });
  const rows: [secret: string, key: string, account: string | undefined, isAllowed: boolean][] = [
    ['shared', 'ANY', 'stranger', true],
    ['of-default', 'ANY', undefined, true],
    ['of-default', 'ANY', 'default', true],
    ['of-default', 'ANY', 'stranger', false],
    [SECRET, 'PASSWORD', 'worker', true],
    [SECRET, 'USERNAME', 'worker', false],
    [SECRET, 'PASSWORD', undefined, false],
    ['parts', 'PUBLIC', 'stranger', true],
    ['parts', 'PASSWORD', 'stranger', false],
    ['parts', 'PASSWORD', 'worker', true],
    ['none', 'ANY', 'reader', false],
    ['foreign', 'ANY', 'stranger', true],
  ];
  for (const [secret, key, account, isAllowed] of rows) {
    const { status, message } = await guarded.pod(env(secret, key), account);
    assert.equal(status < 300, isAllowed, `${secret} ${key} ${account} ${message}`);
  }
  assert.match((await guarded.pod(env('none', 'ANY'), 'reader')).message, /\(readers: none\)/);
  const two = { ...env(SECRET, 'USERNAME'), imagePullSecrets: [{ name: 'none' }, { name: 'shared' }] };
  const { message } = await guarded.pod(two, 'worker');
  assert.match(
    message,
    /all of Secret none .*; USERNAME of Secret guarded .*NAME\/ENTRY may read that entry only, by secretKeyRef or items/,
  );
});

test('what was there before the policy knew can be scaled, labelled, debugged, finalized and deleted, and gets no other template', async (t) => {
  const cluster = await sharedCluster(t);
  if (!cluster) return;
  const guarded = await Guarded.open(t, cluster);
  const before = { ...env(SECRET, 'USERNAME'), serviceAccountName: 'stranger' };
  const metadata = { name: 'before', finalizers: ['test.example/hold'] };
  for (const [kind, root, plural, spec] of TEMPLATES) {
    const { status, message } = await guarded.ask('POST', root, plural, { metadata, spec: spec(before) });
    assert.equal(status, 201, `${kind} ${message}`);
  }
  assert.equal((await guarded.ask('POST', '/api/v1', 'pods', { metadata, spec: before })).status, 201);
  await guarded.say(ROWS);

  const merge = 'application/merge-patch+json';
  const passes = async (root: string, path: string, patch: object, type = merge) => {
    const { status, message } = await guarded.ask('PATCH', root, path, patch, type);
    assert.equal(status, 200, `${path} ${JSON.stringify(patch)} ${message}`);
  };
  const rolled = { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } } };
  for (const [kind, root, plural] of TEMPLATES) {
    await passes(root, `${plural}/before`, { metadata: { labels: { touched: 'yes' } } });
    if (!['Job', 'CronJob'].includes(kind)) await passes(root, `${plural}/before`, { spec: rolled });
    if (/Deployment|Set$|ReplicationController/.test(kind) && kind !== 'DaemonSet') {
      await passes(root, `${plural}/before`, { spec: { replicas: 0 } });
      await passes(root, `${plural}/before/scale`, { spec: { replicas: 0 } });
    }
    if (kind !== 'Job') {
      const pod = { spec: { terminationGracePeriodSeconds: 7 } };
      const spec = kind === 'CronJob' ? { jobTemplate: { spec: { template: pod } } } : { template: pod };
      const { message } = await guarded.ask('PATCH', root, `${plural}/before`, { spec }, merge);
      assert.match(message, /ServiceAccount stranger may not read/, kind);
    }
    await guarded.ask('DELETE', root, `${plural}/before?propagationPolicy=Background`);
    await passes(root, `${plural}/before`, { metadata: { finalizers: null } });
  }
  const debug = { name: 'debug', image: 'none' };
  const strategic = 'application/strategic-merge-patch+json';
  await passes('/api/v1', 'pods/before/ephemeralcontainers', { spec: { ephemeralContainers: [debug] } }, strategic);
  await passes('/api/v1', 'pods/before', { metadata: { labels: { touched: 'yes' } } });
  await guarded.ask('DELETE', '/api/v1', 'pods/before?gracePeriodSeconds=0');
  await passes('/api/v1', 'pods/before', { metadata: { finalizers: null } });
});

test('a pod with 2,000 references to Secrets with 100 readers each is within the cost that the API server allows', async (t) => {
  const cluster = await sharedCluster(t);
  if (!cluster) return;
  const guarded = await Guarded.open(t, cluster);
  const readers = Array.from({ length: 100 }, (_, at) => `reader-${at}/KEY`);
  await guarded.say(
    Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`many-${at}`, [...readers, 'worker/KEY']])),
  );
  const variables = Array.from({ length: 2000 }, (_, at) => ({
    name: `V${at}`,
    valueFrom: { secretKeyRef: { name: `many-${at % 20}`, key: 'KEY' } },
  }));
  const pod = { containers: [{ name: 'main', image: 'none', env: variables }] };
  assert.equal((await guarded.pod(pod, 'worker')).status, 201);
  const { message } = await guarded.pod(pod, 'stranger');
  assert.match(message, /may not read/);
});

test('the API server finds nothing to warn about in the types of the policies', async (t) => {
  const cluster = await sharedCluster(t);
  if (!cluster) return;
  const { items } = JSON.parse(
    await cluster.admin.expect('GET', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'),
  );
  const ours = items.filter((item: { metadata: { name: string } }) => item.metadata.name.startsWith('coffer-readers-'));
  assert.equal(ours.length, 4);
  for (const { status } of ours) assert.deepEqual(status?.typeChecking?.expressionWarnings ?? [], []);
});

test('creating a pod costs the same with 1,000 secrets in its namespace', async (t) => {
  const cluster = await sharedCluster(t);
  if (!cluster) return;
  const namespaces = new Map<number, string>();
  for (const count of [0, 100, 1000]) namespaces.set(count, await newNamespace(t, cluster, 'readers'));
  const [none = 0, some = 0, many = 0] = (await measurePodCreation(cluster, namespaces, 40)).values();
  t.diagnostic(`${none.toFixed(1)} ms with none, ${some.toFixed(1)} with 100, ${many.toFixed(1)} with 1,000`);
  // The bench holds it to 1.5; other tests run beside this one. With an object a secret it was 76 times.
  assert.ok(many / none < 4, `${many} ms against ${none} ms`);
});
