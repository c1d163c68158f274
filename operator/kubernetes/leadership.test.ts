import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { newNamespace, sharedCluster } from '../../test/cluster/shared.ts';
import { connectTo } from '../../test/kubernetes/scene/connect.ts';
import { eventually } from '../../test/operator/site.ts';
import { FaultProxy } from '../../test/servers/fault-proxy.ts';
import { pause } from '../concurrency/pause.ts';
import { Leadership } from './leadership.ts';
import { type KubeObject, RESOURCES } from './resource.ts';

/** Milliseconds of a lease that is lost soon. */
const SHORT = 1500;
/** Of one that is kept: a busy machine may hold up all of its renewals for a third of that. */
const LONG = 9000;
/** Of one whose end no test awaits. */
const ENDLESS = 600_000;

interface Lease extends KubeObject {
  spec: { holderIdentity: string; leaseTransitions: number; renewTime: string };
}

async function scene(t: TestContext) {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  const namespace = await newNamespace(t, cluster);
  const admin = await connectTo(t, cluster.kubeconfig);
  const candidate = async (identity: string, duration = LONG) => {
    const proxy = await FaultProxy.start(cluster);
    const client = await connectTo(t, await proxy.kubeconfig(cluster.kubeconfig), { namespace });
    const leadership = new Leadership(client, { lease: 'coffer-operator', duration, identity });
    t.after(async () => {
      proxy.plan = () => undefined;
      await leadership.release();
      await proxy.close();
    });
    return { leadership, proxy };
  };
  const lease = () => admin.get<Lease>(RESOURCES.leases, { namespace, name: 'coffer-operator' });
  const take = (spec: object) => {
    const metadata = { namespace, name: 'coffer-operator' };
    return admin.create(RESOURCES.leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata,
      spec,
    } as KubeObject);
  };
  return { candidate, lease, take, signal: AbortSignal.timeout(240_000) };
}

test('one leads and renews; at its end the next leads', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, lease, signal } = found;
  const [a, b] = [await candidate('a'), await candidate('b')];
  assert.throws(() => a.leadership.assertHeld(), { code: 'KUBERNETES_NOT_LEADER' });
  assert.equal(await a.leadership.acquire(signal), true);
  a.leadership.assertHeld();
  const next = b.leadership.acquire(signal);
  await pause(LONG * 1.2);
  await eventually(() => a.leadership.assertHeld());
  assert.equal((await lease())?.spec.holderIdentity, 'a');
  await a.leadership.release();
  assert.throws(() => a.leadership.assertHeld(), { code: 'KUBERNETES_NOT_LEADER' });
  assert.equal(await next, true);
  assert.equal((await lease())?.spec.leaseTransitions, 1);
});

test('what was handed over is taken without waiting for the end of the lease', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, signal } = found;
  const [a, b] = [await candidate('a', ENDLESS), await candidate('b', ENDLESS)];
  assert.equal(await a.leadership.acquire(signal), true);
  await a.leadership.release();
  assert.equal(await b.leadership.acquire(signal), true);
  b.leadership.assertHeld();
});

test('whoever finds itself in the lease leads, although it never heard so', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, take, signal } = found;
  const a = await candidate('a', ENDLESS);
  await take({ holderIdentity: 'a', leaseDurationSeconds: 60 });
  assert.equal(await a.leadership.acquire(signal), true);
  a.leadership.assertHeld();
});

test('who cannot renew stops writing before another can lead, and ends when it finds the other', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, lease, signal } = found;
  const [a, b] = [await candidate('a', SHORT), await candidate('b', SHORT)];
  await a.leadership.acquire(signal);
  a.proxy.plan = () => ({ kind: 'silence' });
  a.proxy.breakAll();
  assert.equal(await b.leadership.acquire(signal), true);
  assert.throws(() => a.leadership.assertHeld(), { code: 'KUBERNETES_NOT_LEADER' });
  assert.equal(a.leadership.lost.aborted, false, 'it has not heard of the other');
  a.proxy.plan = () => undefined;
  await once(a.leadership.lost, 'abort');
  assert.equal((await lease())?.spec.holderIdentity, 'b');
});

test('who could not renew for a while goes on where nobody else took the lease', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, signal } = found;
  const { leadership, proxy } = await candidate('a', SHORT);
  await leadership.acquire(signal);
  proxy.plan = () => ({ kind: 'reset' });
  proxy.breakAll();
  while (leadership.isHeld) await pause(50);
  proxy.plan = () => undefined;
  while (!leadership.isHeld) await pause(50);
  assert.equal(leadership.lost.aborted, false);
});

test('a renewal of which the answer was lost is no loss', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, lease, signal } = found;
  const { leadership, proxy } = await candidate('a');
  await leadership.acquire(signal);
  let left = 1;
  proxy.plan = ({ method }) => (method === 'PUT' && left-- > 0 ? { kind: 'lost answer' } : undefined);
  const renewals = () => proxy.seen.filter(({ method }) => method === 'PUT').length;
  while (left > 0) await pause(20);
  const lost = renewals();
  while (renewals() < lost + 2) await pause(20);
  await eventually(() => leadership.assertHeld());
  assert.equal(leadership.lost.aborted, false);
  assert.equal((await lease())?.spec.leaseTransitions, 0);
});

test('a wrong time in the record does not matter', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, signal } = found;
  const [a, b] = [await candidate('a'), await candidate('b')];
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2001-01-01T00:00:00Z') });
  await a.leadership.acquire(signal);
  t.mock.timers.reset();
  const waiting = new AbortController();
  const second = b.leadership.acquire(waiting.signal);
  const looks = () => b.proxy.seen.filter(({ method }) => method === 'GET').length;
  while (looks() < 3) await pause(20);
  waiting.abort();
  assert.equal(await second, false);
  assert.equal(a.leadership.lost.aborted, false);
});

test('a clock that jumps ahead, as after the sleep of a machine, stops writes until the next renewal', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, signal } = found;
  const { leadership } = await candidate('a');
  await leadership.acquire(signal);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 });
  assert.throws(() => leadership.assertHeld(), { code: 'KUBERNETES_NOT_LEADER' });
  while (!leadership.isHeld) await pause(20);
  t.mock.timers.setTime(Date.now() - 7_200_000);
  leadership.assertHeld();
});
