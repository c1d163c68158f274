import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { racedClient } from './scene/raced-client.ts';
import { type SecretObject, textsOf } from './scene/secret-texts.ts';
import { SecretsScene } from './scene/secrets-scene.ts';

const resource = RESOURCES.secrets;
const OURS = { a: 'ours' };
const THEIRS = { data: { a: Buffer.from('theirs').toString('base64') } };

test('what others change is put back, although it was seen before the answer to the write that it came after', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const name = { namespace: scene.namespace, name: 'db' };
  const between = () => scene.client.patch(resource, name, THEIRS, { type: 'merge' });
  const isTold = (event: SecretObject | 'gone') => event !== 'gone' && textsOf(event).a === 'theirs';
  const projector = await scene.start({ client: racedClient(scene.client, { resource, between, isTold }) });
  await scene.push(projector, { data: OURS });
  await projector.heal(async (_, home) => void (await scene.project(projector, home)), 'all');
  await scene.secretIs('db', OURS);
});

test('what others delete is made again, although it was seen before the answer to the write that made it', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const name = { namespace: scene.namespace, name: 'db' };
  const between = () => scene.client.delete(resource, name);
  const isTold = (event: SecretObject | 'gone') => event === 'gone';
  const projector = await scene.start({ client: racedClient(scene.client, { resource, between, isTold }) });
  await scene.push(projector, { data: OURS });
  await projector.heal(async (_, home) => void (await scene.project(projector, home)), 'all');
  await scene.secretIs('db', OURS);
});

test('what others delete and bring back otherwise is put back, although it was seen before the answer to the write that made it', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const name = { namespace: scene.namespace, name: 'db' };
  const between = async () => {
    const made = await scene.client.get<SecretObject>(resource, name);
    assert.ok(made);
    await scene.client.delete(resource, name);
    const { labels = {}, annotations = {} } = made.metadata;
    // Under our name, as a backup tool brings it back with its managed fields: so it is ours still.
    const again = { apiVersion: 'v1', kind: 'Secret', metadata: { ...name, labels, annotations }, ...THEIRS };
    await scene.client.apply(resource, name, again);
  };
  const isTold = (event: SecretObject | 'gone') => event !== 'gone' && textsOf(event).a === 'theirs';
  const projector = await scene.start({ client: racedClient(scene.client, { resource, between, isTold }) });
  // As the reconciler has it, what is disturbed waits for the end of the batch.
  projector.onDisturbed(() => {});
  await scene.push(projector, { data: OURS });
  await projector.heal(async (_, home) => void (await scene.project(projector, home)), 'all');
  const healed = await scene.client.get<SecretObject>(resource, name);
  assert.deepEqual(healed && textsOf(healed), OURS);
});

test('a Secret that others make theirs is left to them and told of, although that was seen before the answer to the write that made it', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const name = { namespace: scene.namespace, name: 'db' };
  const between = () => scene.client.patch(resource, name, { metadata: { managedFields: [{}] } }, { type: 'merge' });
  const isTold = (event: SecretObject | 'gone') => event !== 'gone' && event.metadata.managedFields === undefined;
  const projector = await scene.start({ client: racedClient(scene.client, { resource, between, isTold }) });
  projector.onDisturbed(() => {});
  await scene.push(projector, { data: OURS });
  await projector.heal(async (_, home) => void (await scene.project(projector, home)), 'all');
  assert.equal(scene.results.at(-1)?.error?.code, 'SECRET_NOT_OURS');
});
