import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import type { EncryptedSecretObject } from '../../operator/publish/mirror.ts';
import { isMirror, mirrorOf } from '../../operator/publish/mirror.ts';
import { fingerprintOf } from '../../operator/publish/own-spec.ts';
import { eventually } from '../operator/site.ts';
import { HERE, MirrorsScene } from './scene/mirrors-scene.ts';

const KIND = RESOURCES.encryptedSecrets;

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

/** A file for kubectl. */
async function fileOf(scene: MirrorsScene, t: TestContext, object: object): Promise<string> {
  const file = join(scene.cluster.directory, `${scene.namespace}-${t.name.replaceAll(/\W+/g, '-')}.json`);
  await writeFile(file, JSON.stringify(object));
  return file;
}

test('a mirror is a manifest of its own that only this cluster’s stanzas are in', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const manifest = scene.commit('db', { PASSWORD: 'one', USER: 'two' });
  const running = await scene.start();
  assert.deepEqual(await running.carry(), new Map());

  const mirror = await scene.objects.until('db', (object) => object !== undefined);
  assert.ok(mirror !== undefined && isMirror(mirror));
  const { apiVersion, kind, metadata, spec } = mirror;
  const text = JSON.stringify({ apiVersion, kind, metadata, spec });
  const [read] = readManifestFile(Buffer.from(text), 'mirror.json').manifests;
  assert.ok(read);
  assert.deepEqual(read.recipients, manifest.recipients, 'it says who can open the manifest in git');
  assert.deepEqual([...read.entries.keys()], ['PASSWORD', 'USER']);
  assert.deepEqual(
    [...read.stanzas.values()].flatMap((stanzas) => [...stanzas.keys()]),
    [HERE],
  );
  assert.ok(!text.includes('last-applied'));
  assert.equal(fingerprintOf(spec ?? {}), mirrorOf(manifest, new Set([HERE]))?.fingerprint);
});

test('a mirror that somebody edits, relabels or deletes is put back as soon as it is seen', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const { namespace, cluster, objects } = scene;
  scene.commit('db', { PASSWORD: 'one' });
  const running = await scene.start();
  await running.carry();
  const made = await objects.until('db', (object) => object !== undefined);
  const isBack = (object: EncryptedSecretObject | undefined) =>
    JSON.stringify(object?.spec) === JSON.stringify(made?.spec) &&
    object?.metadata.labels?.['coffer.dev/mirror'] === 'true';
  const disturbances: [what: string, ...kubectl: string[]][] = [
    [
      'a reader that is added',
      'patch',
      'es',
      'db',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/spec/readers/-","value":{"name":"mallory"}}]',
    ],
    [
      'a stanza of another cluster',
      'patch',
      'es',
      'db',
      '--type=merge',
      '-p',
      '{"spec":{"keys":{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA":{"staging":"x"}}}}',
    ],
    ['a field that git does not have', 'patch', 'es', 'db', '--type=merge', '-p', '{"spec":{"type":"mallory"}}'],
    ['the label that goes', 'label', 'es', 'db', 'coffer.dev/mirror-'],
    ['the object that goes', 'delete', 'es', 'db', '--wait=false'],
  ];
  for (const [what, ...args] of disturbances) {
    const before = objects.history.length;
    await cluster.kubectl('-n', namespace, ...args);
    await objects.until('db', (object) => objects.history.length > before + 1 && isBack(object), what);
  }
});

test('a mirror that git has is written once: not by a second run, a restart or its own status', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  scene.commit('db', { PASSWORD: 'one' });
  const first = await scene.start();
  await first.carry();
  await first.carry();
  first.publisher.tell([scene.statusOf('db', { commit: 'a'.repeat(40) })]);
  await scene.objects.until('db', (object) => object?.status !== undefined);
  await first.stop();
  const before = scene.objects.history.length;
  const second = await scene.start();
  await second.carry();
  // Whatever was written for `db` would be seen before this.
  scene.commit('later', { PASSWORD: 'two' });
  await second.carry();
  await scene.objects.until('later', (object) => object !== undefined);
  assert.deepEqual(
    scene.objects.history.slice(before).map(({ name }) => name),
    ['later'],
  );
});

test('an edit while no operator ran is put back at the start, even where the label went with it', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const manifest = scene.commit('db', { PASSWORD: 'one' });
  const first = await scene.start();
  await first.carry();
  first.publisher.tell([scene.statusOf('db')]);
  const made = await scene.objects.until('db', (object) => object?.status?.mirror === true);
  await first.stop();
  const { metadata, ...rest } = made ?? {};
  const plain = { ...rest, metadata: { name: 'db', namespace: scene.namespace }, status: undefined };
  const edited = { ...plain, spec: { ...made?.spec, type: 'mallory' } };
  await scene.cluster.kubectl('replace', '-f', await fileOf(scene, t, edited));
  await scene.objects.until('db', (object) => object?.spec?.type === 'mallory');
  const second = await scene.start();
  await second.carry();
  const back = await scene.objects.until('db', (object) => object?.spec?.type === undefined);
  assert.equal(back && isMirror(back), true);
  assert.equal(fingerprintOf(back?.spec ?? {}), mirrorOf(manifest, new Set([HERE]))?.fingerprint);
  assert.ok(metadata !== undefined);
});

for (const [how, ...args] of [
  ['by kubectl apply', 'apply', '-f'],
  ['by server-side apply', 'apply', '--server-side', '--field-manager=kustomize-controller', '-f'],
  ['by kubectl create', 'create', '-f'],
] as const) {
  test(`an object that somebody else carries ${how} is never mirrored, changed or removed`, async (t) => {
    const scene = await MirrorsScene.open(t);
    if (scene === undefined) return;
    const theirs = scene.commit('db', { PASSWORD: 'theirs' });
    const file = await fileOf(scene, t, theirs.document.value as object);
    const running = await scene.start();
    await scene.cluster.kubectl(...args, file);
    const home = `${scene.namespace}/db`;
    const object = await scene.objects.until('db', (seen) => seen !== undefined);
    scene.commit('db', { PASSWORD: 'ours' });
    assert.deepEqual(await running.carry(), new Map());
    assert.deepEqual(await running.publisher.release([home]), new Map());
    scene.commit('later', { PASSWORD: 'two' });
    await running.carry();
    await scene.objects.until('later', (seen) => seen !== undefined);
    assert.equal(scene.objects.get('db')?.metadata.resourceVersion, object?.metadata.resourceVersion);

    // What it says can be read, and compared with git.
    await eventually(() => assert.equal(running.objects.get(home)?.isMirror, false));
    const [read] = readManifestFile(running.objects.manifestText(home), 'object').manifests;
    assert.deepEqual(read && plain(read.document.value), plain(theirs.document.value));
  });
}

test('a mirror that somebody begins to apply is theirs from then on, and ours again when they remove it', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const git = scene.commit('db', { PASSWORD: 'one' });
  const running = await scene.start();
  await running.carry();
  const theirs = {
    ...(git.document.value as object),
    spec: { ...(git.document.value as EncryptedSecretObject).spec, type: 'theirs' },
  };
  const file = await fileOf(scene, t, theirs);
  const manager = '--field-manager=argocd-controller';
  await scene.cluster.kubectl('apply', '--server-side', '--force-conflicts', manager, '-f', file);
  await scene.objects.until('db', (object) => object?.spec?.type === 'theirs');
  await running.carry();
  scene.commit('later', { PASSWORD: 'two' });
  await running.carry();
  await scene.objects.until('later', (object) => object !== undefined);
  assert.equal(scene.objects.get('db')?.spec?.type, 'theirs');
  await scene.cluster.kubectl('-n', scene.namespace, 'delete', 'es', 'db');
  const back = await scene.objects.until('db', (object) => object !== undefined && object.spec?.type === undefined);
  assert.equal(back && isMirror(back), true);
});

test('a mirror goes with its manifest, and one of which nobody knows is found', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  scene.commit('db', { PASSWORD: 'one' });
  const first = await scene.start();
  await first.carry();
  await first.stop();
  const second = await scene.start();
  const home = `${scene.namespace}/db`;
  assert.deepEqual(second.publisher.orphans(), [home]);
  assert.deepEqual(await second.publisher.release([home]), new Map());
  await scene.objects.until('db', (object) => object === undefined);
});

test('plaintext in a manifest goes nowhere', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const { namespace } = scene;
  const text = JSON.stringify({
    ...{ apiVersion: 'coffer.dev/v1', kind: 'EncryptedSecret', metadata: { name: 'db', namespace } },
    spec: { recipients: [HERE], readers: [{ name: '*' }], data: { PASSWORD: 'C4N4RY' } },
  });
  const [manifest] = readManifestFile(Buffer.from(text), 'db.json').manifests;
  assert.ok(manifest);
  scene.git.set(`${namespace}/db`, manifest);
  const running = await scene.start();
  await running.carry();
  assert.equal(await scene.client.get(KIND, { namespace, name: 'db' }), undefined);
});

test('who answers each repair of a mirror with another edit is answered ever later; in the end it is put right', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const right = mirrorOf(scene.commit('db', { PASSWORD: 'one' }), new Set([HERE]))?.fingerprint;
  const running = await scene.start();
  await running.carry();
  const isRight = (object: EncryptedSecretObject | undefined) => fingerprintOf(object?.spec ?? {}) === right;
  const until = performance.now() + 2500;
  let edits = 0;
  for (; performance.now() < until; edits++) {
    await scene.objects.until('db', isRight);
    const name = { namespace: scene.namespace, name: 'db' };
    await scene.client.patch(KIND, name, { spec: { readers: [{ name: `other-${edits}` }] } }, { type: 'merge' });
  }
  // Answered at once each time, there were seventy.
  assert.ok(edits <= 25, `${edits} rounds`);
  await scene.objects.until('db', isRight);
});
