import { test } from 'node:test';
import type { KubeClient, WatchListener } from '../../operator/kubernetes/client.ts';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { type SecretObject, textsOf } from './scene/secret-texts.ts';
import { SecretsScene } from './scene/secrets-scene.ts';

/**
 * The operator's client, in whose first write somebody comes between: what the server answered is given out only when the
 * operator's own watch has told what they did.
 */
function racedClient(
  client: KubeClient,
  between: () => Promise<unknown>,
  isTold: (event: SecretObject | 'gone') => boolean,
) {
  const told = Promise.withResolvers<void>();
  let isRaced = false;
  const apply: KubeClient['apply'] = async (...args) => {
    const answer = await client.apply(...args);
    if (!isRaced && args[0] === RESOURCES.secrets) {
      isRaced = true;
      await between();
      await told.promise;
    }
    return answer as never;
  };
  const watch: KubeClient['watch'] = (resource, options, listener) => {
    const event: WatchListener['event'] = (one) => {
      listener.event(one);
      const object = one.object as SecretObject;
      if (resource === RESOURCES.secrets && isRaced && isTold(one.type === 'DELETED' ? 'gone' : object)) told.resolve();
    };
    return client.watch(resource, options, { ...listener, event });
  };
  return new Proxy(client, {
    get(target, property) {
      if (property === 'apply') return apply;
      if (property === 'watch') return watch;
      const value = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const OURS = { a: 'ours' };
const THEIRS = { data: { a: Buffer.from('theirs').toString('base64') } };

test('what others change is put back, although it was seen before the answer to the write that it came after', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const name = { namespace: scene.namespace, name: 'db' };
  const patch = () => scene.client.patch(RESOURCES.secrets, name, THEIRS, { type: 'merge' });
  const isTheirs = (event: SecretObject | 'gone') => event !== 'gone' && textsOf(event).a === 'theirs';
  const projector = await scene.start({ client: racedClient(scene.client, patch, isTheirs) });
  await scene.push(projector, { data: OURS });
  await projector.heal(async (_, home) => void (await scene.project(projector, home)), 'all');
  await scene.secretIs('db', OURS);
});

test('what others delete is made again, although it was seen before the answer to the write that made it', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const name = { namespace: scene.namespace, name: 'db' };
  const remove = () => scene.client.delete(RESOURCES.secrets, name);
  const projector = await scene.start({ client: racedClient(scene.client, remove, (event) => event === 'gone') });
  await scene.push(projector, { data: OURS });
  await projector.heal(async (_, home) => void (await scene.project(projector, home)), 'all');
  await scene.secretIs('db', OURS);
});
