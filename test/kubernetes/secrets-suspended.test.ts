import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { holds } from './scene/secret-texts.ts';
import { SecretsScene } from './scene/secrets-scene.ts';
import { KubernetesStage } from './scene/stage.ts';

const HOUR = 3_600_000;
const at = (time: number) => new Date(time).toISOString();

test('the real operator shows the suspension, records it, and takes its work up again at the time', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { app } = stage;
  await stage.commit(stage.files({ name: 'db', data: { a: '1' } }));
  await stage.startAndProject();
  await stage.condition(app, 'db', 'Ready', { status: 'True' });
  const refusals = () => stage.site.audit().filter(({ code }) => code === 'SECRET_SUSPENDED');
  const until = at(Date.now() + HOUR);
  const patch = {
    metadata: { annotations: { 'coffer.dev/suspend-until': until } },
    data: { a: Buffer.from('emergency').toString('base64') },
  };
  await stage.client.patch(RESOURCES.secrets, { namespace: app, name: 'db' }, patch, { type: 'merge' });
  const { message } = await stage.condition(app, 'db', 'Ready', { status: 'False' });
  assert.match(message, new RegExp(until));
  await stage.secretIs(app, 'db', { a: 'emergency' });
  assert.equal(refusals().length, 1);
  // Its end is brought near: what comes before it would, on a busy machine, come after it.
  const near = at(Date.now() + 2000);
  const sooner = { metadata: { annotations: { 'coffer.dev/suspend-until': near } } };
  await stage.client.patch(RESOURCES.secrets, { namespace: app, name: 'db' }, sooner, { type: 'merge' });
  await stage.secretIs(app, 'db', { a: '1' });
  assert.ok(at(Date.now()) >= near);
  await stage.condition(app, 'db', 'Ready', { status: 'True' });
  assert.ok(refusals().length <= 2, 'one for each time that was said');
});

describe('a person who suspends the operator on one Secret', () => {
  test('patches it in peace until the time, commits or not; then it is put right by itself', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start();
    await scene.push(projector, { data: { a: '1' } });
    const until = Date.now() + HOUR;
    await annotate(scene, at(until));
    await scene.kubectl('patch', 'secret', 'db', '-p', '{"stringData":{"a":"emergency"}}');
    await scene.secretIs('db', { a: 'emergency' });
    const [refused] = await scene.push(projector, { data: { a: '2' } });
    assert.equal(refused?.error?.code, 'SECRET_SUSPENDED');
    assert.match(refused?.error?.message ?? '', new RegExp(at(until).replaceAll('.', '\\.')));
    // Its end is brought near: what comes before it would, on a busy machine, come after it.
    const near = Date.now() + 2000;
    await annotate(scene, at(near));
    const secret = await scene.secretIs('db', { a: '2' });
    assert.ok(Date.now() >= near);
    assert.deepEqual(Object.keys(secret.metadata.annotations ?? {}).sort(), [
      'coffer.dev/digest',
      'coffer.dev/fingerprint',
      'coffer.dev/provenance',
    ]);
    // Opened for the first version, when the suspension began, for the commit, when its end changed, and at its end; not for the patch.
    assert.ok(scene.opened.length <= 5, `${scene.opened.length}`);
  });

  test('is heard by the next operator, too', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const first = await scene.start();
    await scene.push(first, { data: { a: '1' } });
    await first.close();
    await annotate(scene, at(Date.now() + HOUR));
    await scene.kubectl('patch', 'secret', 'db', '-p', '{"stringData":{"a":"emergency"}}');
    let clock = Date.now();
    const second = await scene.start({ now: () => clock });
    const [refused] = await scene.project(second, 'db');
    assert.equal(refused?.error?.code, 'SECRET_SUSPENDED');
    clock += 2 * HOUR;
    await second.heal(async (_, name) => void (await scene.project(second, name)), 'all');
    await scene.secretIs('db', { a: '1' });
  });

  for (const [what, time] of [
    ['no time', 'tomorrow'],
    ['a time without its offset', '2030-01-01T00:00:00'],
    ['more than a day', at(Date.now() + 25 * HOUR)],
  ] as const) {
    test(`says ${what}: it is taken away, and what it covered put right`, async (t) => {
      const scene = await SecretsScene.open(t);
      if (scene === undefined) return;
      const projector = await scene.start();
      await scene.push(projector, { data: { a: '1' } });
      await annotate(scene, time);
      const version = await scene.kubectl(
        ...['patch', 'secret', 'db', '-p', '{"stringData":{"a":"x"}}', '-o', 'jsonpath={.metadata.resourceVersion}'],
      );
      await scene.secrets.until('db', (secret) => {
        const { annotations, resourceVersion } = secret?.metadata ?? {};
        const isLater = Number(resourceVersion) > Number(version);
        return isLater && annotations?.['coffer.dev/suspend-until'] === undefined && holds(secret, { a: '1' });
      });
    });
  }
});

function annotate(scene: SecretsScene, time: string): Promise<string> {
  return scene.kubectl('annotate', 'secret', 'db', '--overwrite', `coffer.dev/suspend-until=${time}`);
}
