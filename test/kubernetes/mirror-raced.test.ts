import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { type EncryptedSecretObject, mirrorOf } from '../../operator/publish/mirror.ts';
import { fingerprintOf } from '../../operator/publish/own-spec.ts';
import { HERE, MirrorsScene } from './scene/mirrors-scene.ts';
import { racedClient } from './scene/raced-client.ts';

const resource = RESOURCES.encryptedSecrets;
const isTheirs = (object: EncryptedSecretObject | 'gone' | undefined) =>
  typeof object === 'object' && object.spec?.type === 'mallory';

interface Others {
  /** What they do to the mirror `db`. */
  between(scene: MirrorsScene): Promise<unknown>;
  /** What is there then, one after the other. */
  told: ('none' | 'theirs')[];
}

const OTHERS: Record<string, Others> = {
  'is edited': {
    between: ({ client, namespace }) =>
      client.patch(resource, { namespace, name: 'db' }, { spec: { type: 'mallory' } }, { type: 'merge' }),
    told: ['theirs'],
  },
  'is deleted': {
    between: ({ client, namespace }) => client.delete(resource, { namespace, name: 'db' }),
    told: ['none'],
  },
  'is deleted and made anew as something else': {
    async between({ client, namespace }) {
      const name = { namespace, name: 'db' };
      const made = await client.get<EncryptedSecretObject>(resource, name);
      assert.ok(made);
      await client.delete(resource, name);
      const { apiVersion, kind, metadata, spec } = made;
      const { labels = {}, annotations = {} } = metadata;
      // By our field manager, as a backup tool brings it back: so it is a mirror still.
      const again = {
        apiVersion,
        kind,
        metadata: { ...name, labels, annotations },
        spec: { ...spec, type: 'mallory' },
      };
      await client.apply(resource, name, again as EncryptedSecretObject);
    },
    told: ['none', 'theirs'],
  },
};

for (const [what, { between, told }] of Object.entries(OTHERS)) {
  test(`a mirror that ${what} is put back, although that was seen before the answer to the write before it`, async (t) => {
    const scene = await MirrorsScene.open(t);
    if (scene === undefined) return;
    const { client, objects } = scene;
    const { fingerprint } = mirrorOf(scene.commit('db', { PASSWORD: 'one' }), new Set([HERE])) ?? {};
    const isTold = (object: EncryptedSecretObject | 'gone') =>
      told.at(-1) === 'none' ? object === 'gone' : isTheirs(object);
    const race = { resource, between: () => between(scene), isTold };
    const running = await scene.startWith(racedClient<EncryptedSecretObject>(client, race));
    await running.carry();
    const seen = (object: EncryptedSecretObject | undefined) => {
      if (object === undefined) return 'none';
      return fingerprintOf(object.spec ?? {}) === fingerprint ? 'ours' : 'theirs';
    };
    const expected = ['ours', ...told, 'ours'].join();
    await objects.until('db', () => objects.history.map(({ object }) => seen(object)).join() === expected, expected);
  });
}
