import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isDeepStrictEqual, promisify } from 'node:util';
import { readSettings } from '../../operator/config/read-settings.ts';
import { LeaderLabel } from '../../operator/kubernetes/leader-label.ts';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import { createMetrics } from '../../operator/serve/metrics.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { untilAllowed } from '../kubernetes/scene/access.ts';
import { connectTo } from '../kubernetes/scene/connect.ts';
import { partOrSkip } from '../parts/parts.ts';
import { temporaryFile } from './files.ts';
import { CHART, helmOrSkip, LEAST, WITH_TRUST } from './helm.ts';
import { dataOf, named, type Rendered, render } from './rendered.ts';

const rules = (role: Rendered) => role.rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[];

test('helm finds nothing wrong with the chart', async (t) => {
  const helm = await helmOrSkip(t);
  if (helm === undefined) return;
  for (const values of [LEAST, WITH_TRUST]) {
    const { status, stdout } = await helm(['lint', '--strict', CHART], values);
    assert.equal(status, 0, stdout);
  }
});

const withIngress = (host: string) => ({
  ...WITH_TRUST,
  webhooks: { ...WITH_TRUST.webhooks, ingress: { enabled: true, host } },
});

describe('values that cannot work are refused in plain words', () => {
  const cases: [why: string, values: object, says: RegExp][] = [
    ['no cluster', { ...LEAST, cluster: '' }, /cluster is missing: the name that this cluster has as a recipient/],
    ['no source', { ...LEAST, sources: [] }, /sources is empty: name at least one git repository/],
    ['no namespace', { ...LEAST, namespaces: [] }, /namespaces is empty/],
    ['a glob without clusterWide', { ...LEAST, namespaces: ['team-*'] }, /the glob team-\*: that takes clusterWide/],
    ['a misspelt value', { ...LEAST, namespace: ['payments'] }, /'namespace' not allowed/],
    ['a source that is two', { ...LEAST, sources: [{ git: { url: 'x' }, encryptedSecrets: {} }] }, /sources/],
    ['a webhook that nobody listens for', { ...WITH_TRUST, webhooks: {} }, /that takes webhooks\.enabled: true/],
    ['webhooks that no source has', { ...LEAST, webhooks: { enabled: true } }, /no git source has a webhook/],
    ['a policy that is not there', { ...WITH_TRUST, trust: {} }, /trusts by \/etc\/coffer\/trust\/policy\.yaml/],
    ['two places of trust', { ...WITH_TRUST, trust: { ...WITH_TRUST.trust, configMapName: 'x' } }, /give it or them/],
    ['an Ingress without a host', withIngress(''), /webhooks\.ingress\.host is missing/],
    ['a file that leads elsewhere', { ...LEAST, git: { files: { '../x': '' } } }, /'\.\.\/x' does not match/],
    ['a field that no source has', { ...LEAST, sources: [{ git: { url: 'x', sshkeyFile: 'y' } }] }, /sshkeyFile/],
    [
      'a mode of trust that there is not',
      { ...LEAST, sources: [{ git: { url: 'x', trust: { mode: 'all' } } }] },
      /trust\/mode/,
    ],
    ['a policy that is none', { ...LEAST, trust: { policySpec: { signer: {} } } }, /trust\/policySpec.*\n?.*signer/],
    [
      'a rotator that does not exist',
      { ...LEAST, rotation: { rotators: [{ name: 'x', secrets: ['a/b'], mysql: {} }] } },
      /mysql/,
    ],
    ['an age that is none', { ...LEAST, audit: { keep: 'forever' } }, /audit\/keep/],
    ['a pin that is no identity', { ...LEAST, pins: { staging: 'AAAA' } }, /pins/],
  ];
  for (const [why, values, says] of cases) {
    test(why, async (t) => {
      const helm = await helmOrSkip(t);
      if (helm === undefined) return;
      const { status, stderr } = await helm(['template', 'coffer', CHART], values);
      assert.notEqual(status, 0);
      assert.match(stderr, says);
    });
  }
});

const ROTATION = {
  grace: '7d',
  rotators: [{ name: 'mail', secrets: ['payments/mail'], command: { run: ['/opt/rotate-mail'] } }],
};

test('the rendered configuration is one that the operator reads', async (t) => {
  const sources = [...LEAST.sources, { encryptedSecrets: { namespaces: ['payments'], unverified: ['payments'] } }];
  const objects = await render(t, {
    ...LEAST,
    sources,
    secrets: { resync: '5m' },
    audit: { keep: '400d' },
    rotation: ROTATION,
  });
  if (objects === undefined) return;
  const { 'operator.yaml': text = '' } = dataOf(objects, 'coffer-operator');
  const settings = await readSettings(await temporaryFile(t, 'operator.yaml', text));
  assert.equal(settings.cluster, 'production');
  assert.deepEqual(settings.keys, { kind: 'kubernetesSecret', name: 'coffer-keys' });
  assert.deepEqual(settings.objects, { namespaces: ['payments'], unverified: ['payments'] });
  assert.deepEqual(settings.secrets, { namespaces: ['payments'], readers: true, restart: true, resync: 300_000 });
  assert.deepEqual(settings.volumes?.names, ['coffer-operator.coffer-system.svc']);
  assert.equal(settings.rotation.grace, 7 * 86_400_000);
  assert.deepEqual([...(settings.rotation.rotators[0]?.command?.run ?? [])], ['/opt/rotate-mail']);
  assert.deepEqual(settings.audit, { directory: '/var/lib/coffer-audit/log', stdout: true, keep: 400 * 86_400_000 });
});

test('the log of each replica has a volume of its own, which is no other than its configuration names', async (t) => {
  for (const enabled of [true, false]) {
    const objects = await render(t, { ...LEAST, persistence: { enabled }, audit: { size: '3Gi', stdout: false } });
    if (objects === undefined) return;
    const { spec } = named(objects, 'StatefulSet', 'coffer-operator') as unknown as {
      spec: {
        template: { spec: { containers: { volumeMounts: object[] }[]; volumes: { name: string }[] } };
        volumeClaimTemplates?: { metadata: { name: string }; spec: { resources: object } }[];
      };
    };
    const { containers, volumes } = spec.template.spec;
    const mounts = containers.flatMap(({ volumeMounts }) => volumeMounts);
    assert.ok(mounts.some((mount) => isDeepStrictEqual(mount, { name: 'audit', mountPath: '/var/lib/coffer-audit' })));
    const claim = spec.volumeClaimTemplates?.find(({ metadata }) => metadata.name === 'audit');
    assert.deepEqual(claim?.spec.resources, enabled ? { requests: { storage: '3Gi' } } : undefined);
    assert.equal(
      volumes.some(({ name }) => name === 'audit'),
      !enabled,
    );
    assert.match(dataOf(objects, 'coffer-operator')['operator.yaml'] ?? '', /stdout: false/);
  }
});

test('with names of namespaces no right over Secrets reaches beyond them and its own', async (t) => {
  const objects = await render(t, { ...LEAST, namespaces: ['payments', 'reports'] });
  if (objects === undefined) return;
  for (const role of objects.filter(({ kind }) => kind === 'ClusterRole')) {
    for (const { resources } of rules(role)) assert.ok(!resources.includes('secrets'), role.metadata.name);
  }
  const places = objects.filter(({ kind }) => kind === 'Role').map(({ metadata }) => metadata.namespace);
  assert.deepEqual(places.toSorted(), ['coffer-system', 'payments', 'reports']);
});

test('nobody can break the glass unless somebody is named', async (t) => {
  const subjects = [{ kind: 'Group', name: 'security', apiGroup: 'rbac.authorization.k8s.io' }];
  const without = await render(t, LEAST);
  const granted = await render(t, { ...LEAST, breakGlass: { subjects } });
  if (without === undefined || granted === undefined) return;
  assert.ok(!JSON.stringify(without).includes('break-glass'));
  assert.deepEqual(named(granted, 'ClusterRoleBinding', 'coffer-break-glass').subjects, subjects);
});

test('no rule asks for everything', async (t) => {
  const objects = await render(t, { ...LEAST, clusterWide: true, namespaces: ['*'] });
  if (objects === undefined) return;
  for (const role of objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')) {
    for (const rule of rules(role)) assert.ok(!Object.values(rule).flat().includes('*'), role.metadata.name);
  }
});

test('a leader labels its pod, and cannot change what runs beside it', async (t) => {
  const cluster = await sharedCluster(t);
  const objects = await render(t, LEAST);
  if (cluster === undefined || objects === undefined) return;
  const namespace = await newNamespace(t, cluster, 'leader');
  const group = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  for (const kind of ['Role', 'RoleBinding']) {
    const { metadata, ...object } = named(objects, kind, 'coffer-operator-own');
    const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace }];
    const placed = { ...object, metadata: { ...metadata, namespace }, ...(kind === 'Role' ? {} : { subjects }) };
    await cluster.admin.expect('POST', `${group}/${kind.toLowerCase()}s`, placed);
  }
  const pod = { namespace, name: 'pod' };
  const containers = (image: string) => ({ spec: { containers: [{ name: 'main', image }] } });
  const admin = await connectTo(t, cluster.kubeconfig, { namespace });
  await admin.create<KubeObject>(RESOURCES.pods, { apiVersion: 'v1', kind: 'Pod', metadata: pod, ...containers('a') });
  const kubeconfig = await cluster.kubeconfigFor({ namespace, serviceAccount: 'default' });
  const patching = { namespace, group: '', resource: 'pods', subresource: 'status', verb: 'patch' };
  await untilAllowed(cluster, `system:serviceaccount:${namespace}:default`, patching);
  const operator = await connectTo(t, kubeconfig, { namespace });
  const label = new LeaderLabel(operator, 'pod');
  const labels = async () => (await admin.get(RESOURCES.pods, pod))?.metadata.labels;
  await label.set(true);
  assert.deepEqual(await labels(), { 'coffer.dev/leader': 'true' });
  await label.set(false);
  assert.equal(await labels(), undefined);
  const forbidden = { code: 'KUBERNETES_FORBIDDEN' };
  await assert.rejects(operator.patch(RESOURCES.pods, pod, containers('b'), { type: 'strategic' }), forbidden);
});

test('custom resource definitions stay when the chart goes', async (t) => {
  const objects = await render(t, LEAST);
  if (objects === undefined) return;
  const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  assert.equal(definitions.length, 2);
  for (const { metadata } of definitions) assert.equal(metadata.annotations?.['helm.sh/resource-policy'], 'keep');
});

test('the operator’s pod meets the restricted level of Pod Security, as the API server judges it', async (t) => {
  const cluster = await sharedCluster(t);
  const objects = await render(t, WITH_TRUST);
  if (cluster === undefined || objects === undefined) return;
  const namespace = await newNamespace(t, cluster, 'restricted');
  await cluster.kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
  await cluster.kubectl('create', 'serviceaccount', 'coffer-operator', '--namespace', namespace);
  const { spec } = named(objects, 'StatefulSet', 'coffer-operator') as unknown as {
    spec: { template: { metadata: object; spec: { volumes: object[] } } };
  };
  const { template } = spec;
  const claimed = ['data', 'audit'].map((name) => ({ name, emptyDir: {} }));
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, name: 'operator' },
    spec: { ...template.spec, volumes: [...template.spec.volumes, ...claimed] },
  };
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  await cluster.admin.expect('POST', path, pod);
  const privileged = structuredClone(pod) as unknown as { spec: { containers: { securityContext: object }[] } };
  for (const container of privileged.spec.containers) container.securityContext = {};
  assert.equal((await cluster.admin.ask('POST', path, privileged)).status, 403, 'the level is not enforced');
});

test('every object of the chart is one that the API server takes', async (t) => {
  const cluster = await sharedCluster(t);
  const namespace = cluster && (await newNamespace(t, cluster, 'chart'));
  const helm = await helmOrSkip(t, cluster?.kubeconfig);
  if (namespace === undefined || helm === undefined) return;
  // What stands once in a cluster is there already, not by Helm: install.test.ts has a cluster for that.
  const values = {
    ...WITH_TRUST,
    namespaces: [namespace],
    crds: { install: false },
    readers: { enabled: false },
    csi: { enabled: false },
  };
  const args = ['install', 'coffer', CHART, '--namespace', namespace, '--dry-run=server'];
  const { status, stderr } = await helm(args, values);
  assert.equal(status, 0, stderr);
});

test('deploy/install.yaml is what the chart gives', async (t) => {
  if ((await partOrSkip(t, 'helm')) === undefined) return;
  await promisify(execFile)(process.execPath, [join(CHART, '..', '..', 'render.ts'), '--check']);
});

test('the dashboard and the alerts ask only for metrics that the operator has', async (t) => {
  const metrics = { dashboard: { enabled: true }, prometheusRule: { enabled: true } };
  const objects = await render(t, { ...LEAST, metrics });
  if (objects === undefined) return;
  const { spec } = named(objects, 'PrometheusRule', 'coffer') as unknown as {
    spec: { groups: { rules: { expr: string }[] }[] };
  };
  const rules = spec.groups.flatMap((group) => group.rules);
  const { panels } = JSON.parse(dataOf(objects, 'coffer-dashboard')['coffer.json'] ?? '') as {
    panels: { targets: { expr: string }[] }[];
  };
  const { text } = await createMetrics('0', {
    status: () => ({ sources: [], secrets: [], problems: [] }),
    audit: () => undefined,
  }).render();
  const expressions = [...panels.flatMap(({ targets }) => targets), ...rules].map(({ expr }) => expr);
  const asked = expressions.flatMap((expr) => expr.match(/(?:coffer|process)_\w+/g) ?? []);
  assert.ok(rules.length > 0 && asked.length >= panels.length + rules.length);
  for (const metric of asked) assert.ok(text.includes(`# TYPE ${metric.replace(/_bucket$/, '')} `), metric);
});
