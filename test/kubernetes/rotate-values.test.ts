import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '../../operator/kubernetes/client.ts';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import { RotationStore } from '../../operator/rotate/values/remembered/rotation-store.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { onDisk } from '../operator/tmpfs.ts';
import { Lives } from '../rotate/lives.ts';
import { withSpec } from '../rotate/rotating.ts';
import { connectTo } from './scene/connect.ts';

const DAY = 24 * 3_600_000;

test('whichever replica leads goes on with the rotations of the one before, and makes no second value', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster, 'rotate-values');
  const client = await connectTo(t, cluster.kubeconfig, { namespace });
  const rotation = { token: { every: '30d', generate: { kind: 'hex' } } };
  const lives = await Lives.open(t, (stage) => ({
    'api.json': withSpec(stage.manifest({ namespace: 'payments', name: 'api', data: { token: 'first' } }), {
      rotation,
    }),
  }));
  const replica = () => lives.begin({ mayPush: false, replica: { client, stateDirectory: onDisk(t) } });
  const published = async () => {
    const labelSelector = 'coffer.dev/proposal=values-production';
    const { items } = await client.list<KubeObject & { data: unknown }>(RESOURCES.configMaps, {
      namespace,
      labelSelector,
    });
    return items.map(({ data }) => data);
  };
  const first = await replica();
  await first.look();
  lives.clocks.pass(31 * DAY);
  await first.look();
  await first.look();
  await first.end();
  const made = await published();
  assert.equal(made.length, 1);
  const second = await replica();
  await second.look();
  await second.look();
  assert.deepEqual(await published(), made);
  assert.deepEqual(second.rotation.status().rotations, { due: 1, underway: 1, failed: 0, done: 0 });
  await second.end();
});

test('what is remembered may be larger than an object of Kubernetes, grow, shrink and go', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster, 'rotate-store');
  const client = await connectTo(t, cluster.kubeconfig, { namespace });
  const store = new RotationStore('/nowhere', client);
  for (const length of [10, 2_000_000, 700_000, 700_001, 3]) {
    const text = 'x'.repeat(length);
    await store.write('0123456789abcdef', text);
    await store.write('seen', 'other');
    assert.equal((await new RotationStore('/elsewhere', client).all()).get('0123456789abcdef'), text);
  }
  await store.remove('0123456789abcdef');
  assert.deepEqual(await store.all(), new Map([['seen', 'other']]));
});

test('killed between any two requests, what is remembered is as it was or as it is to be, and nothing is left over', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster, 'rotate-torn');
  const client = await connectTo(t, cluster.kubeconfig, { namespace });
  const open = (requests = Number.POSITIVE_INFINITY) => new RotationStore('/nowhere', dying(client, requests));
  const [before, after] = ['b', 'a'].map((letter) => letter.repeat(1_500_000)) as [string, string];
  const names = async () => (await client.list(RESOURCES.configMaps, { namespace, labelSelector: LABEL })).items.length;
  const outcomes: string[] = [];
  let isKilled = true;
  for (let requests = 1; isKilled; requests += 1) {
    await open().write('seen', before);
    assert.equal(await names(), 3);
    isKilled = await open(requests)
      .write('seen', after)
      .then(() => false, isDeath);
    const next = open();
    const text = (await next.all()).get('seen');
    outcomes.push(text === before ? 'before' : text === after ? 'after' : 'torn');
    // Whatever it writes, all that belongs to nothing goes.
    await next.write('0123456789abcdef', 'small');
    assert.equal(await names(), 4);
    await next.remove('0123456789abcdef');
  }
  // A list, three parts of which the first comes last, and two that go.
  assert.deepEqual(outcomes, ['before', 'before', 'before', 'after', 'after', 'after']);
});

const LABEL = 'coffer.dev/rotation';

class Death extends Error {}
function isDeath(error: unknown): true {
  if (error instanceof Death) return true;
  throw error;
}

/** Ends after so many requests. */
function dying(client: KubeClient, requests: number): KubeClient {
  let left = requests;
  const live = <Args extends unknown[], Result>(ask: (...args: Args) => Promise<Result>) => {
    return async (...args: Args) => {
      if (left-- <= 0) throw new Death();
      return await ask(...args);
    };
  };
  return Object.assign(Object.create(client), {
    list: live(client.list.bind(client)),
    apply: live(client.apply.bind(client)),
    delete: live(client.delete.bind(client)),
  });
}
