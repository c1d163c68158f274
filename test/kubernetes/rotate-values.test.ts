import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  assert.deepEqual(second.rotation.counts, { due: 1, underway: 1, failed: 0, done: 0 });
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
