import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { newNamespace, sharedCluster } from '../../test/cluster/shared.ts';
import { connectTo } from '../../test/kubernetes/scene/connect.ts';
import { FaultProxy } from '../../test/servers/fault-proxy.ts';
import { pause } from '../concurrency/pause.ts';
import { Leadership } from './leadership.ts';
import { type KubeObject, RESOURCES } from './resource.ts';

/** Milliseconds. */
const DURATION = 1500;

interface Lease extends KubeObject {
  spec: { holderIdentity: string; leaseTransitions: number; renewTime: string };
}

async function scene(t: TestContext) {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  const namespace = await newNamespace(t, cluster);
  const admin = await connectTo(t, cluster.kubeconfig);
  const candidate = async (identity: string) => {
    const proxy = await FaultProxy.start(cluster);
    const client = await connectTo(t, await proxy.kubeconfig(cluster.kubeconfig), { namespace });
    const leadership = new Leadership(client, { lease: 'coffer-operator', duration: DURATION, identity });
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
  return { candidate, lease, take, signal: AbortSignal.timeout(20_000) };
}

test('one leads and renews; at its end the next leads at once', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, lease, signal } = found;
  const [a, b] = [await candidate('a'), await candidate('b')];
  assert.throws(() => a.leadership.assertHeld(), { code: 'KUBERNETES_NOT_LEADER' });
  assert.equal(await a.leadership.acquire(signal), true);
  a.leadership.assertHeld();
  const next = b.leadership.acquire(signal);
  await pause(DURATION * 1.5);
  a.leadership.assertHeld();
  assert.equal((await lease())?.spec.holderIdentity, 'a');
  await a.leadership.release();
  assert.throws(() => a.leadership.assertHeld(), { code: 'KUBERNETES_NOT_LEADER' });
  const began = performance.now();
  assert.equal(await next, true);
  assert.ok(performance.now() - began < DURATION, 'without waiting for the end of the lease');
  assert.equal((await lease())?.spec.leaseTransitions, 1);
});

test('whoever finds itself in the lease leads, although it never heard so', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, take, signal } = found;
  const a = await candidate('a');
  await take({ holderIdentity: 'a', leaseDurationSeconds: 60 });
  assert.equal(await a.leadership.acquire(signal), true);
  a.leadership.assertHeld();
});

test('who cannot renew stops writing before another can lead, and ends when it finds the other', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, lease, signal } = found;
  const [a, b] = [await candidate('a'), await candidate('b')];
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
  const { leadership, proxy } = await candidate('a');
  await leadership.acquire(signal);
  proxy.plan = () => ({ kind: 'reset' });
  proxy.breakAll();
  while (leadership.isHeld) await pause(50);
  proxy.plan = () => undefined;
  while (!leadership.isHeld) await pause(50);
  assert.equal(leadership.lost.aborted, false);
  leadership.assertHeld();
});

test('a renewal of which the answer was lost is no loss', async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { candidate, lease, signal } = found;
  const { leadership, proxy } = await candidate('a');
  await leadership.acquire(signal);
  let left = 1;
  proxy.plan = ({ method }) => (method === 'PUT' && left-- > 0 ? { kind: 'lost answer' } : undefined);
  while (left > 0) await pause(20);
  await pause(DURATION);
  leadership.assertHeld();
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
  await pause(DURATION * 1.5);
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
