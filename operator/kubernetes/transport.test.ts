import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newNamespace, sharedCluster } from '../../test/cluster/shared.ts';
import { connectTo } from '../../test/kubernetes/scene/connect.ts';
import { eventually } from '../../test/operator/site.ts';
import { type Fault, FaultProxy } from '../../test/servers/fault-proxy.ts';
import { type KubeObject, RESOURCES } from './resource.ts';

const { configMaps } = RESOURCES;

/** A client behind a proxy that does this to the next requests. */
async function scene(t: TestContext) {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  const namespace = await newNamespace(t, cluster);
  const proxy = await FaultProxy.start(cluster);
  const client = await connectTo(t, await proxy.kubeconfig(cluster.kubeconfig));
  t.after(() => proxy.close());
  const fail = (fault: Fault, times: number) => {
    proxy.plan = () => (times-- > 0 ? fault : undefined);
    proxy.seen.length = 0;
  };
  const object = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } });
  const uidOf = async (name: string) => (await client.get<KubeObject>(configMaps, { namespace, name }))?.metadata.uid;
  return { client, proxy, namespace, fail, object, uidOf };
}

const RESET: Fault = { kind: 'reset' };
const LOST: Fault = { kind: 'lost answer' };
const BUSY: Fault = { kind: 'status', status: 503 };
const SLOW_DOWN: Fault = { kind: 'status', status: 429, headers: { 'retry-after': '1' } };

test('what may be done twice is sent again after a reset, a lost answer and 503', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { client, namespace, fail, object, uidOf } = found;
  for (const fault of [RESET, LOST, BUSY]) {
    fail(fault, 2);
    await client.apply(configMaps, { namespace, name: 'a' }, object('a'));
    fail(fault, 2);
    assert.ok(await uidOf('a'));
    const uid = (await uidOf('a')) ?? '';
    fail(fault, 2);
    await client.delete(configMaps, { namespace, name: 'a' }, { uid });
    assert.equal(await uidOf('a'), undefined);
  }
});

test('what was perhaps done is not done again: a creation whose answer was lost fails', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { client, proxy, fail, object } = found;
  for (const [fault, code] of [
    [LOST, 'KUBERNETES_UNREACHABLE'],
    [BUSY, 'KUBERNETES_BUSY'],
  ] as const) {
    fail(fault, 1);
    await assert.rejects(client.create(configMaps, object('a')), { code });
    assert.equal(proxy.seen.length, 1);
  }
});

test('429 is waited for as long as the server asks, and passed on where that is long', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { client, fail, object } = found;
  fail(SLOW_DOWN, 1);
  const began = performance.now();
  await client.create(configMaps, object('a'));
  assert.ok(performance.now() - began >= 1000);
  fail({ kind: 'status', status: 429, headers: { 'retry-after': '60' } }, 1);
  await assert.rejects(client.create(configMaps, object('b')), { code: 'KUBERNETES_BUSY', retryAfter: 60_000 });
});

test('a signal ends a request that is never answered, and a request that waits to be sent again', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { client, namespace, fail } = found;
  for (const fault of [{ kind: 'silence' }, { kind: 'mute' }, SLOW_DOWN] as Fault[]) {
    fail(fault, 9);
    const signal = AbortSignal.timeout(300);
    await assert.rejects(client.get(configMaps, { namespace, name: 'a' }, signal), { name: 'TimeoutError' });
  }
});

test('the lease waits for no connection: writes that the server lets wait hold up none of its renewals', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { client, proxy, namespace, object } = found;
  proxy.plan = ({ url }) => (url.pathname.includes('configmaps') ? { kind: 'silence' } : undefined);
  const end = new AbortController();
  const signal = end.signal;
  const writes = Array.from({ length: 48 }, (_, n) =>
    client.apply(configMaps, { namespace, name: `a${n}` }, object(`a${n}`), { signal }),
  );
  const waiting = Promise.allSettled(writes);
  await eventually(async () => assert.ok(proxy.seen.length >= 32));
  const limit = AbortSignal.any([signal, AbortSignal.timeout(120_000)]);
  assert.equal(await client.get(RESOURCES.leases, { namespace, name: 'none' }, limit), undefined);
  end.abort();
  await waiting;
});
