import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { eventually } from '../operator/site.ts';
import { holds, textsOf } from './scene/secret-texts.ts';
import { SecretsScene } from './scene/secrets-scene.ts';

const b64 = (text: string) => Buffer.from(text).toString('base64');

test('a Secret is as the manifest says: entries, type, template metadata and our marks, and nothing else', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const projector = await scene.start();
  const [result] = await scene.push(projector, {
    data: { a: '1', 'b.c': 'ünï\0', empty: '' },
    type: 'example.org/custom',
    labels: { team: 'payments' },
    annotations: { note: 'x' },
  });
  assert.deepEqual(result, { workload: `${scene.namespace}/db`, outcome: 'written' });
  const secret = await scene.secretIs('db', { a: '1', 'b.c': 'ünï\0', empty: '' });
  assert.equal(secret.type, 'example.org/custom');
  assert.deepEqual(secret.metadata.labels, { team: 'payments', 'coffer.dev/projected': 'true' });
  assert.deepEqual(Object.keys(secret.metadata.annotations ?? {}).sort(), [
    'coffer.dev/digest',
    'coffer.dev/fingerprint',
    'coffer.dev/provenance',
    'note',
  ]);
  const managers = secret.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`);
  assert.deepEqual(managers, ['coffer-operator Apply']);
});

test('an unchanged state is neither opened nor written, by the next operator neither', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const first = await scene.start();
  await scene.push(first, { data: { a: '1' }, labels: { team: 'x' } });
  await scene.push(first, { name: 'other', data: { a: '2' } });
  const before = await scene.secretIs('db', { a: '1' });
  await first.close();
  const second = await scene.start();
  assert.deepEqual(
    [...second.owned()].map(({ name, provenance }) => [name, provenance?.path]),
    [
      ['db', 'db.yaml'],
      ['other', 'other.yaml'],
    ],
  );
  await scene.project(second, 'db');
  await scene.project(second, 'other');
  await second.heal(async (_, name) => void (await scene.project(second, name)), 'all');
  assert.deepEqual(scene.opened, ['db', 'other']);
  // A change of the template alone, and then of nothing.
  await scene.push(second, { data: { a: '1' }, labels: { team: 'y' } });
  await scene.project(second, 'db');
  assert.equal(scene.opened.length, 3);
  const after = await scene.secrets.until('db', (secret) => secret?.metadata.labels?.team === 'y');
  assert.equal(after?.metadata.annotations?.['coffer.dev/digest'], before.metadata.annotations?.['coffer.dev/digest']);
});

test('a change replaces all entries at once, also those that others manage with us', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const projector = await scene.start();
  await scene.push(projector, { data: { a: '1', b: '1', c: '1' } });
  await scene.secretIs('db', { a: '1', b: '1', c: '1' });
  // Somebody applies one entry as it is: from now on both manage it.
  const name = { namespace: scene.namespace, name: 'db' };
  await scene.client.apply(
    RESOURCES.secrets,
    name,
    Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, data: { c: b64('1') } })),
    { fieldManager: 'somebody' },
  );
  await scene.secrets.until('db', (secret) => secret?.metadata.managedFields?.length === 2);
  assert.deepEqual(scene.opened, ['db']);
  scene.secrets.history.length = 0;
  await scene.push(projector, { data: { a: '2', b: '2' } });
  await scene.secretIs('db', { a: '2', b: '2' });
  for (const { object } of scene.secrets.history) {
    const texts = object && JSON.stringify(textsOf(object));
    assert.ok(texts === '{"a":"1","b":"1","c":"1"}' || texts === '{"a":"2","b":"2"}', texts ?? 'gone');
  }
});

describe('what others change is put back as soon as it is seen, long before everything is looked at', () => {
  const edits: [string, (scene: SecretsScene) => Promise<unknown>][] = [
    ['an entry', (scene) => patch(scene, { data: { a: b64('x') } })],
    ['an entry more', (scene) => patch(scene, { data: { added: b64('x') } })],
    ['an entry less', (scene) => patch(scene, { data: { b: null } })],
    ['a label of ours', (scene) => patch(scene, { metadata: { labels: { team: 'theirs' } } })],
    ['the mark', (scene) => patch(scene, { metadata: { labels: { 'coffer.dev/projected': null } } })],
    ['the digest', (scene) => patch(scene, { metadata: { annotations: { 'coffer.dev/digest': 'x' } } })],
    ['everything', (scene) => scene.kubectl('delete', 'secret', 'db')],
  ];
  for (const [what, edit] of edits) {
    test(what, async (t) => {
      const scene = await SecretsScene.open(t);
      if (scene === undefined) return;
      const projector = await scene.start();
      await scene.push(projector, { data: { a: '1', b: '2' }, labels: { team: 'ours' } });
      await scene.push(projector, { name: 'other', data: { a: '1' } });
      await patch(scene, { metadata: { labels: { theirs: 'stays' }, annotations: { theirs: 'stays' } } });
      const before = await scene.secrets.until('db', (secret) => secret?.metadata.labels?.theirs === 'stays');
      await edit(scene);
      const after = await scene.secrets.until('db', (secret) => {
        const { labels, annotations } = secret?.metadata ?? {};
        const isRight = labels?.team === 'ours' && labels['coffer.dev/projected'] === 'true';
        const isMarked = annotations?.['coffer.dev/digest'] === before?.metadata.annotations?.['coffer.dev/digest'];
        const isNew = secret?.metadata.resourceVersion !== before?.metadata.resourceVersion;
        return isNew && isRight && isMarked && holds(secret, { a: '1', b: '2' });
      });
      if (what !== 'everything') assert.equal(after?.metadata.annotations?.theirs, 'stays');
      // Only what differed was opened, and once.
      assert.deepEqual(scene.opened, ['db', 'other', 'db']);
    });
  }
});

describe('what it did not make', () => {
  test('is refused, with the command that lets it be taken over; then it is, and never in between', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    await scene.kubectl('create', 'secret', 'generic', 'db', '--from-literal=a=old', '--from-literal=theirs=old');
    const projector = await scene.start();
    const [refused] = await scene.push(projector, { data: { a: 'new' } });
    assert.equal(refused?.error?.code, 'SECRET_NOT_OURS');
    const command = / (kubectl -n \S+ annotate secret \S+ \S+)$/.exec(refused?.error?.advice ?? '')?.[1] ?? '';
    await scene.secretIs('db', { a: 'old', theirs: 'old' });
    await scene.cluster.kubectl(...command.split(' ').slice(1));
    const secret = await scene.secretIs('db', { a: 'new' });
    assert.deepEqual(seenTexts(scene), ['{"a":"old","theirs":"old"}', '{"a":"new"}']);
    assert.equal(secret.metadata.annotations?.['coffer.dev/adopt'], undefined);
  });

  test('is not pruned, a copy of ours with all our marks neither', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start();
    await scene.push(projector, { data: { a: '1' } });
    const { metadata, ...rest } = await scene.secretIs('db', { a: '1' });
    const { labels = {}, annotations = {}, managedFields = [] } = metadata;
    const copy = { ...rest, metadata: { name: 'copy', labels, annotations, managedFields } };
    await scene.client.create(RESOURCES.secrets, copy, { namespace: scene.namespace });
    await scene.secrets.until('copy', (secret) => secret !== undefined);
    const [refused] = await scene.push(projector, { name: 'copy', data: { a: '2' } });
    assert.equal(refused?.error?.code, 'SECRET_NOT_OURS');
    assert.deepEqual(await projector.prune(scene.namespace, 'copy'), []);
    const [removed] = await projector.prune(scene.namespace, 'db');
    assert.equal(removed?.outcome, 'removed');
    await scene.secrets.until('db', (secret) => secret === undefined);
    assert.deepEqual(await projector.prune(scene.namespace, 'db'), []);
    assert.ok(scene.secrets.get('copy'));
  });

  test('includes what a backup tool restored without managed fields, until it is annotated', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const first = await scene.start();
    await scene.push(first, { data: { a: '1' } });
    const { metadata, ...rest } = await scene.secretIs('db', { a: '1' });
    await first.close();
    await scene.kubectl('delete', 'secret', 'db');
    const { labels = {}, annotations = {} } = metadata;
    await scene.client.create(
      RESOURCES.secrets,
      { ...rest, metadata: { name: 'db', labels, annotations } },
      { namespace: scene.namespace },
    );
    const second = await scene.start();
    const [refused] = await scene.push(second, { data: { a: '2' } });
    assert.equal(refused?.error?.code, 'SECRET_NOT_OURS');
    await scene.kubectl('annotate', 'secret', '-l', 'coffer.dev/projected=true', 'coffer.dev/adopt=true');
    await scene.secretIs('db', { a: '2' });
  });

  test('is made while ours is being written: it is as it was', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start({
      client: before(scene.client, 'apply', () =>
        scene.kubectl('create', 'secret', 'generic', 'db', '--from-literal=theirs=1'),
      ),
    });
    const [refused] = await scene.push(projector, { data: { a: '1' } });
    assert.equal(refused?.error?.code, 'SECRET_NOT_OURS');
    const secret = await scene.secretIs('db', { theirs: '1' });
    assert.equal(secret.metadata.labels, undefined);
    assert.equal(secret.metadata.annotations, undefined);
  });

  test('is made where ours was, just before that is pruned: it stays', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const replace = async () => {
      await scene.kubectl('delete', 'secret', 'db');
      await scene.kubectl('create', 'secret', 'generic', 'db', '--from-literal=theirs=1');
    };
    const projector = await scene.start({ client: before(scene.client, 'delete', replace) });
    await scene.push(projector, { data: { a: '1' } });
    scene.wanted.clear();
    await projector.prune(scene.namespace, 'db');
    await scene.secretIs('db', { theirs: '1' });
  });
});

function patch(scene: SecretsScene, change: object): Promise<string> {
  return scene.kubectl('patch', 'secret', 'db', '--type=merge', '-p', JSON.stringify(change));
}

/** What a watcher saw of `db`, one after the other. */
function seenTexts(scene: SecretsScene): (string | undefined)[] {
  const texts = scene.secrets.history
    .filter(({ name }) => name === 'db')
    .map(({ object }) => object && JSON.stringify(textsOf(object)));
  return texts.filter((text, index) => text !== texts[index - 1]);
}

/** A client before whose first call of a method something else happens. */
function before<Client extends object>(client: Client, method: keyof Client, happens: () => Promise<unknown>): Client {
  let isDone = false;
  return new Proxy(client, {
    get: (target, property) => {
      const value = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        if (property === method && !isDone) {
          isDone = true;
          await happens();
        }
        return value.apply(target, args);
      };
    },
  });
}

describe('what went with its namespace comes back with it, be that made anew before anybody looked', () => {
  for (const what of ['is being deleted', 'is gone'] as const) {
    test(`told of when that ${what}`, async (t) => {
      const scene = await SecretsScene.open(t);
      if (scene === undefined) return;
      const { namespace } = scene;
      let isEnding = false;
      const projector = await scene.start({
        isTerminating: () => isEnding && what === 'is being deleted',
        names: () => new Set(isEnding && what === 'is gone' ? [] : [namespace]),
      });
      await scene.push(projector, { data: { a: '1' } });
      await scene.secretIs('db', { a: '1' });
      isEnding = true;
      await scene.kubectl('delete', 'secret', 'db');
      await eventually(async () => assert.deepEqual([...projector.owned()], []));
      await projector.heal(async (_, name) => void (await scene.project(projector, name)), 'disturbed');
      isEnding = false;
      await projector.heal(async (_, name) => void (await scene.project(projector, name)), 'all');
      await scene.secretIs('db', { a: '1' });
    });
  }
});

test('what is missing is asked for once: where it cannot be made, looks at everything open it no more', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const projector = await scene.start();
  await scene.push(projector, { data: { a: '1' } });
  await scene.secretIs('db', { a: '1' });
  const asked: string[] = [];
  const again = async (_: string, name: string) => void asked.push(name);
  const went = Promise.withResolvers<void>();
  projector.onDisturbed(went.resolve);
  await scene.kubectl('delete', 'secret', 'db');
  await went.promise;
  await projector.heal(again, 'disturbed');
  await projector.heal(again, 'all');
  assert.deepEqual(asked, ['db']);
});
