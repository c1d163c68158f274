import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newNamespace, sharedCluster } from '../../test/cluster/shared.ts';
import { connectTo } from '../../test/kubernetes/scene/connect.ts';
import { eventually } from '../../test/operator/site.ts';
import { EventRecorder, type EventToEmit } from './events.ts';
import { type KubeObject, RESOURCES } from './resource.ts';

interface Event extends KubeObject {
  note: string;
  reason: string;
}

test('an event is told once, again when something else was told between, and cut to what the API takes', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster);
  const client = await connectTo(t, cluster.kubeconfig);
  const recorder = new EventRecorder(client);
  const event = (reason: string, note = 'note'): EventToEmit => ({
    regarding: { apiVersion: 'v1', kind: 'Secret', namespace, name: 's' },
    ...{ type: 'Normal', reason, action: 'Project', note },
  });
  for (const reason of ['Failed', 'Failed', 'Ready', 'Failed']) recorder.emit(event(reason));
  recorder.emit(event('Long', 'ä'.repeat(1000)));
  const told = async () =>
    (await client.list<Event>(RESOURCES.events, { namespace, fieldSelector: 'regarding.name=s' })).items;
  // What is not sent soon after the end is dropped, and a busy server takes longer.
  await eventually(async () => assert.ok((await told()).some(({ reason }) => reason === 'Long')));
  await recorder.close();
  const items = await told();
  assert.deepEqual(items.map(({ reason }) => reason).toSorted(), ['Failed', 'Failed', 'Long', 'Ready']);
  const long = items.find(({ reason }) => reason === 'Long');
  assert.match(long?.note ?? '', /^ä{510}…$/);
});

test('an event that cannot be written holds up nothing', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const recorder = new EventRecorder(await connectTo(t, cluster.kubeconfig));
  const regarding = { apiVersion: 'v1', kind: 'Secret', namespace: 'nowhere-at-all', name: 's' };
  recorder.emit({ regarding, type: 'Normal', reason: 'Ready', action: 'Project', note: 'note' });
  await recorder.close();
});
