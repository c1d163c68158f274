import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newNamespace, sharedCluster } from '../../test/cluster/shared.ts';
import { connectTo } from '../../test/kubernetes/scene/connect.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { type KubeObject, RESOURCES } from './resource.ts';

const { configMaps, secrets } = RESOURCES;

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const configMap = (namespace: string, name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  data,
});

const secret = (namespace: string, name: string, value: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace, name },
  data: { key: value },
});

const withCode = (code: string) => (error: unknown) => {
  assert.ok(error instanceof KubernetesError, String(error));
  assert.equal(error.code, code);
  return true;
};

test('what is applied is read back, changed and deleted; what is not there is undefined, not an error', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster);
  const client = await connectTo(t, cluster.kubeconfig);
  const name = { namespace, name: 'a' };

  assert.equal(await client.get(configMaps, name), undefined);
  const made = await client.apply<ConfigMap>(configMaps, name, configMap(namespace, 'a', { x: '1' }));
  assert.deepEqual(made.data, { x: '1' });
  const { metadata } = await client.patch<ConfigMap>(configMaps, name, { data: { y: '2' } }, { type: 'merge' });
  assert.deepEqual((await client.get<ConfigMap>(configMaps, name))?.data, { x: '1', y: '2' });
  assert.ok(metadata.managedFields?.some(({ manager }) => manager === 'coffer-operator'));
  await assert.rejects(client.delete(configMaps, name, { uid: 'another' }), withCode('KUBERNETES_CONFLICT'));
  assert.equal(await client.delete(configMaps, name, { uid: metadata.uid ?? '' }), true);
  assert.equal(await client.delete(configMaps, name), false);
});

test('a list of more than a page is whole', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster);
  const client = await connectTo(t, cluster.kubeconfig);
  const names = Array.from({ length: 510 }, (_, index) => `c-${String(index).padStart(3, '0')}`);
  await Promise.all(names.map((name) => client.create(configMaps, configMap(namespace, name, { index: name }))));

  const { items } = await client.list<ConfigMap>(configMaps, {
    namespace,
    fieldSelector: 'metadata.name!=kube-root-ca.crt',
  });
  assert.deepEqual(items.map(({ metadata }) => metadata.name).toSorted(), names);
  const { items: bare } = await client.list<ConfigMap>(configMaps, { namespace, metadataOnly: true });
  assert.ok(bare.every(({ data }) => data === undefined));
});

test('a Secret that is written does not come back, and its body may be a buffer', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster);
  const client = await connectTo(t, cluster.kubeconfig);
  const body = Buffer.from(JSON.stringify(secret(namespace, 's', 'Y2FuYXJ5')));

  const answer = await client.apply(secrets, { namespace, name: 's' }, body);
  assert.equal(answer.metadata.name, 's');
  assert.ok(!JSON.stringify(answer).includes('Y2FuYXJ5'));
  assert.match(String(await client.getBytes(secrets, { namespace, name: 's' })), /"key":"Y2FuYXJ5"/);
});

test('errors tell what to do and never quote what the server says, which may hold values', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster);
  const client = await connectTo(t, cluster.kubeconfig);
  const nobody = await connectTo(t, await cluster.kubeconfigFor({ name: 'nobody' }));
  const noKind = { group: 'coffer.dev', version: 'v9', plural: 'unknowns', kind: 'Unknown', namespaced: true };

  const refused = async (code: string, work: Promise<unknown>) =>
    assert.rejects(work, (error) => {
      withCode(code)(error);
      assert.ok(!JSON.stringify([String(error), error]).includes('canary'), String(error));
      return true;
    });
  await refused(
    'KUBERNETES_INVALID',
    client.apply(secrets, { namespace, name: 's' }, secret(namespace, 's', 'canary!')),
  );
  await refused(
    'KUBERNETES_INVALID',
    client.apply(secrets, { namespace, name: 'S_' }, secret(namespace, 'S_', 'Y2FuYXJ5')),
  );
  await refused('KUBERNETES_NAMESPACE_MISSING', client.create(configMaps, configMap('nowhere-at-all', 'c')));
  await refused(
    'KUBERNETES_NAMESPACE_MISSING',
    client.apply(configMaps, { namespace: 'nowhere-at-all', name: 'c' }, configMap('nowhere-at-all', 'c')),
  );
  await refused('KUBERNETES_FORBIDDEN', nobody.get(secrets, { namespace, name: 's' }));
  await refused('KUBERNETES_NO_KIND', client.list(noKind));
  await refused('KUBERNETES_NO_KIND', client.get(noKind, { namespace, name: 'x' }));
  await client.create(configMaps, configMap(namespace, 'c'));
  await refused('KUBERNETES_CONFLICT', client.create(configMaps, configMap(namespace, 'c')));
  const large = { large: 'canary'.repeat(250_000) };
  await refused(
    'KUBERNETES_TOO_LARGE',
    client.apply(configMaps, { namespace, name: 'l' }, configMap(namespace, 'l', large)),
  );
  await cluster.kubectl('-n', namespace, 'create', 'configmap', 'theirs', '--from-literal=x=1');
  await assert.rejects(
    client.apply(configMaps, { namespace, name: 'theirs' }, configMap(namespace, 'theirs', { x: '2' }), {
      force: false,
    }),
    (error) => withCode('KUBERNETES_FIELD_CONFLICT')(error) && /kubectl-create/.test(String(error)),
  );
});

test('the fence is asked immediately before a write is sent, and what it throws leaves nothing written', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster);
  let leads = true;
  const fence = () => {
    if (!leads) throw new KubernetesError('KUBERNETES_NOT_LEADER', 'Another leads.', { advice: 'Nothing.' });
  };
  const client = await connectTo(t, cluster.kubeconfig, { fence });
  await client.create(configMaps, configMap(namespace, 'before'));
  leads = false;
  await assert.rejects(client.create(configMaps, configMap(namespace, 'after')), withCode('KUBERNETES_NOT_LEADER'));
  assert.equal(await client.get(configMaps, { namespace, name: 'after' }), undefined);
});
