import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Cluster } from '../../test/cluster/cluster.ts';
import { startCluster } from '../../test/cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../../test/cluster/shared.ts';
import { connectTo } from '../../test/kubernetes/scene/connect.ts';
import { eventually } from '../../test/operator/site.ts';
import { type Fault, FaultProxy } from '../../test/servers/fault-proxy.ts';
import type { KubeClient } from './client.ts';
import { ListWatch, type ListWatchOptions } from './list-watch.ts';
import { type KubeObject, RESOURCES } from './resource.ts';
import { watchNamespaces } from './watch-namespaces.ts';

const { configMaps } = RESOURCES;
const LABEL = 'coffer.dev/test';

/** What a listener knows, and what it was told. */
class Cache {
  readonly objects = new Map<string, KubeObject>();
  readonly told: string[] = [];
  syncs = 0;
  #listeners: (() => void)[] = [];

  readonly seen = {
    changed: (object: KubeObject) => {
      this.objects.set(object.metadata.name, object);
      this.#tell(`+${object.metadata.name}`);
    },
    deleted: ({ name }: { name: string }) => {
      this.objects.delete(name);
      this.#tell(`-${name}`);
    },
    synced: () => {
      this.syncs++;
      this.#tell('synced');
    },
  };

  /** Resolves when it is so; rejects after ten seconds. */
  async until(isSo: (cache: this) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`not so: ${this.told.join(' ')}`)), 240_000);
    const look = () => isSo(this) && resolve();
    this.#listeners.push(look);
    look();
    await promise.finally(() => clearTimeout(timer));
  }

  #tell(what: string): void {
    this.told.push(what);
    for (const listener of this.#listeners) listener();
  }
}

interface Scene {
  cluster: Cluster;
  proxy: FaultProxy;
  namespace: string;
  /** Straight to the server. */
  admin: KubeClient;
  cache: Cache;
  watch: ListWatch<KubeObject>;
  make(name: string): Promise<KubeObject>;
  remove(name: string): Promise<boolean>;
}

/** A ListWatch of a new namespace, through a proxy. `startWith` is there before it starts. */
async function watching(
  t: TestContext,
  options: Partial<ListWatchOptions> & { own?: boolean; startWith?: string[] } = {},
): Promise<Scene | undefined> {
  const { own = false, startWith = [], ...rest } = options;
  const shared = await sharedCluster(t);
  if (shared === undefined) return undefined;
  const cluster = own ? await startCluster({ installCrds: false }) : shared;
  const namespace = own ? 'default' : await newNamespace(t, cluster);
  const proxy = await FaultProxy.start(cluster);
  const admin = await connectTo(t, cluster.kubeconfig);
  const client = await connectTo(t, await proxy.kubeconfig(cluster.kubeconfig));
  const cache = new Cache();
  const watch = new ListWatch(client, { resource: configMaps, namespace, labelSelector: LABEL, ...rest }, cache.seen);
  const make = (name: string) =>
    admin.apply(
      configMaps,
      { namespace, name },
      {
        ...{ apiVersion: 'v1', kind: 'ConfigMap' },
        metadata: { namespace, name, labels: { [LABEL]: '' }, annotations: { made: String(performance.now()) } },
      },
    );
  for (const name of startWith) await make(name);
  const ending = new AbortController();
  const run = watch.run(ending.signal);
  t.after(async () => {
    ending.abort();
    await run;
    await proxy.close();
    if (own) await cluster.stop();
  });
  await watch.synced;
  return {
    cluster,
    proxy,
    namespace,
    admin,
    cache,
    watch,
    make,
    remove: (name) => admin.delete(configMaps, { namespace, name }),
  };
}

test('tells what is there, what comes, changes and goes', async (t) => {
  const scene = await watching(t, { startWith: ['a'] });
  if (scene === undefined) return;
  const { cache, make, remove } = scene;
  assert.deepEqual(cache.told, ['+a', 'synced']);
  await make('b');
  await make('a');
  await remove('b');
  await cache.until(({ told }) => told.includes('-b'));
  assert.deepEqual(cache.told.slice(2), ['+b', '+a', '-b']);
});

/** Each befalls the watch and the list that follow it, twice; then the network is well again. */
const FAULTS: Record<string, Fault> = {
  'connections that are reset': { kind: 'reset' },
  '429': { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  '410 Gone': { kind: 'status', status: 410, body: { kind: 'Status', code: 410, reason: 'Expired' } },
  '503': { kind: 'status', status: 503 },
  'garbage lines': { kind: 'garbage', line: '{"type":"ADDED","object":{"metada' },
  'a line that is JSON and no event': { kind: 'garbage', line: 'null' },
  'answers that break off': { kind: 'half' },
  'a silent stall': { kind: 'mute' },
  'a server that never answers': { kind: 'silence' },
  'slow answers': { kind: 'slow', milliseconds: 200 },
};

for (const [what, fault] of Object.entries(FAULTS)) {
  test(`survives ${what}, and misses nothing`, async (t) => {
    const scene = await watching(t, { startWith: ['stays', 'goes', 'again'], silence: 500 });
    if (scene === undefined) return;
    const { cache, proxy, make, remove, watch } = scene;
    const before = cache.objects.get('again')?.metadata.uid;
    let left = 2;
    proxy.plan = ({ isWatch }) => (isWatch && left-- > 0 ? fault : undefined);
    proxy.breakAll();
    await remove('goes');
    await remove('again');
    await make('again');
    await make('comes');
    await cache.until(({ objects }) => objects.has('comes') && !objects.has('goes'));
    await cache.until(({ objects }) => objects.get('again')?.metadata.uid !== before);
    assert.deepEqual([...cache.objects.keys()].toSorted(), ['again', 'comes', 'stays']);
    assert.ok(cache.told.includes('-again'), 'deleted and made anew is told as such');
    // Silence is a trouble until the next watch is open, and here it is short.
    await eventually(() => assert.equal(watch.trouble, undefined));
  });
}

test('lists again when the watch is lost for good, and tells what went meanwhile', async (t) => {
  const scene = await watching(t, { startWith: ['stays', 'goes', 'again'] });
  if (scene === undefined) return;
  const { cache, proxy, make, remove } = scene;
  let isDown = true;
  proxy.plan = () => (isDown ? { kind: 'reset' } : undefined);
  proxy.breakAll();
  await remove('goes');
  await remove('again');
  await make('again');
  isDown = false;
  let isGone = true;
  proxy.plan = ({ isWatch }) => {
    if (!isWatch || !isGone) return undefined;
    isGone = false;
    return { kind: 'status', status: 410 };
  };
  await cache.until(({ syncs }) => syncs === 2);
  assert.deepEqual([...cache.objects.keys()].toSorted(), ['again', 'stays']);
  assert.deepEqual(cache.told.filter((what) => what.startsWith('-')).toSorted(), ['-again', '-goes']);
});

test('lists again on a timer', async (t) => {
  const scene = await watching(t, { startWith: ['a'], relistEvery: 100 });
  if (scene === undefined) return;
  await scene.cache.until(({ syncs }) => syncs >= 3);
});

test('goes on after a restart of the API server and a compaction of etcd', async (t) => {
  const scene = await watching(t, { own: true, startWith: ['stays', 'goes'] });
  if (scene === undefined) return;
  const { cluster, cache, watch, make, remove } = scene;
  await make('later');
  await cache.until(({ objects }) => objects.has('later'));
  await cluster.stopApiServer();
  assert.equal(cache.objects.size, 3, 'what was known stays known');
  await cluster.startApiServer();
  await remove('goes');
  await make('after');
  await cluster.compactEtcd();
  await cache.until(({ objects }) => objects.has('after') && !objects.has('goes'));
  await eventually(() => assert.equal(watch.trouble, undefined));
});

test('a namespace that may not be read is a trouble of its own, and the others go on', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const [open, closed] = [await newNamespace(t, cluster), await newNamespace(t, cluster)];
  await cluster.kubectl('-n', open, 'create', 'role', 'r', '--verb=list,watch', '--resource=serviceaccounts');
  await cluster.kubectl('-n', open, 'create', 'rolebinding', 'r', '--role=r', '--user=eve');
  const client = await connectTo(t, await cluster.kubeconfigFor({ name: 'eve' }));
  // The API server learns of a role a little later than it says that it has it.
  await eventually(async () => void (await client.list(RESOURCES.serviceAccounts, { namespace: open })));
  const cache = new Cache();
  const watch = watchNamespaces(client, [open, closed], { resource: RESOURCES.serviceAccounts }, cache.seen);
  const ending = new AbortController();
  const run = watch.run(ending.signal);
  t.after(async () => {
    ending.abort();
    await run;
  });
  await watch.synced;
  assert.deepEqual([...cache.objects.keys()], ['default']);
  assert.equal(watch.trouble(open), undefined);
  assert.equal(watch.trouble(closed)?.code, 'KUBERNETES_FORBIDDEN');
});
