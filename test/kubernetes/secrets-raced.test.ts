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
