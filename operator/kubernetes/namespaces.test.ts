import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { newNamespace, sharedCluster } from '../../test/cluster/shared.ts';
import { connectTo } from '../../test/kubernetes/scene/connect.ts';
import { type Namespaces, openNamespaces } from './namespaces.ts';
import { type KubeObject, RESOURCES } from './resource.ts';
import { watchNamespaces } from './watch-namespaces.ts';

async function follow(t: TestContext, namespaces: Namespaces): Promise<(isSo: () => boolean) => Promise<void>> {
  const ending = new AbortController();
  const run = namespaces.run(ending.signal);
  t.after(async () => {
    ending.abort();
    await run;
  });
  await namespaces.synced;
  const looks = new Set<() => void>();
  namespaces.onChange(() => {
    for (const look of looks) look();
  });
  return (isSo) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`it is ${[...namespaces.names()].join(' ')}`)), 240_000);
    const look = () => isSo() && resolve();
    looks.add(look);
    look();
    return promise.finally(() => clearTimeout(timer));
  };
}

for (const kind of ['names', 'globs'] as const) {
  test(`tells which namespaces of the configuration are there, terminate and are gone, by ${kind}`, async (t) => {
    const cluster = await sharedCluster(t);
    if (cluster === undefined) return;
    const client = await connectTo(t, cluster.kubeconfig);
    const suffix = randomBytes(4).toString('hex');
    const [one, two] = [`ours-${suffix}-1`, `ours-${suffix}-2`];
    const namespaces = openNamespaces(client, kind === 'names' ? [one, two] : [`ours-${suffix}-?`]);
    const until = await follow(t, namespaces);
    assert.deepEqual([...namespaces.names()], []);
    assert.deepEqual([namespaces.isConfigured(one), namespaces.isConfigured('other')], [true, false]);
    await cluster.kubectl('create', 'namespace', one);
    await until(() => namespaces.names().has(one));
    assert.equal(namespaces.isTerminating(one), false);
    // What holds the namespace back while it terminates.
    const name = `held-${suffix}`;
    const metadata = { name, finalizers: ['coffer.dev/test'] };
    await client.create(RESOURCES.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata }, { namespace: one });
    await cluster.kubectl('delete', 'namespace', one, '--wait=false');
    await until(() => namespaces.isTerminating(one));
    assert.ok(namespaces.names().has(one));
    await client.patch(
      RESOURCES.configMaps,
      { namespace: one, name },
      { metadata: { finalizers: [] } },
      { type: 'merge' },
    );
    await until(() => !namespaces.names().has(one));
    assert.equal(namespaces.isTerminating(one), false);
  });
}

test('one that the operator may not look at counts as there', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const client = await connectTo(t, await cluster.kubeconfigFor({ name: 'eve' }));
  const namespaces = openNamespaces(client, ['secretive']);
  await follow(t, namespaces);
  assert.deepEqual([...namespaces.names()], ['secretive']);
});

test('with a glob, what is in other namespaces is not told', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const [ours, theirs] = [await newNamespace(t, cluster, 'glob'), await newNamespace(t, cluster, 'else')];
  const client = await connectTo(t, cluster.kubeconfig);
  const told = new Set<string>();
  const seen = {
    changed: ({ metadata }: KubeObject) => told.add(metadata.namespace ?? ''),
    deleted: ({ namespace }: { namespace: string }) => told.add(namespace),
  };
  // A new namespace has an account as soon as it is handed out.
  const watch = watchNamespaces(client, [`${ours.slice(0, -1)}?`], { resource: RESOURCES.serviceAccounts }, seen);
  const ending = new AbortController();
  const run = watch.run(ending.signal);
  t.after(async () => {
    ending.abort();
    await run;
  });
  await watch.synced;
  assert.deepEqual([...told], [ours]);
  assert.notEqual(ours, theirs);
});
