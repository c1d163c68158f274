import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { eventually } from '../operator/site.ts';
import { FaultProxy } from '../servers/fault-proxy.ts';
import { SecretsScene } from './scene/secrets-scene.ts';
import { KubernetesStage } from './scene/stage.ts';

describe('deletionPolicy Retain', () => {
  test('leaves it as it is and nobody’s, without a moment of absence; its manifest takes it up again', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start();
    const wanted = { data: { a: '1' }, deletionPolicy: 'Retain', labels: { team: 'x' } } as const;
    await scene.push(projector, wanted);
    await scene.secretIs('db', { a: '1' });
    scene.wanted.clear();
    const [left] = (await projector.retain?.(scene.namespace, 'db')) ?? [];
    assert.equal(left?.outcome, 'removed');
    const secret = await scene.secrets.until(
      'db',
      (seen) => seen?.metadata.labels?.['coffer.dev/projected'] === undefined,
    );
    assert.deepEqual(secret?.metadata.labels, { team: 'x' });
    assert.deepEqual(Object.keys(secret?.metadata.annotations ?? {}), ['coffer.dev/retained']);
    assert.equal(secret?.metadata.ownerReferences, undefined);
    assert.deepEqual([...projector.owned()], []);
    assert.deepEqual(await projector.prune(scene.namespace, 'db'), []);
    // It is nobody's: what people do with it stays.
    await scene.kubectl('patch', 'secret', 'db', '-p', '{"stringData":{"b":"added"}}');
    await scene.secretIs('db', { a: '1', b: 'added' });

    await projector.close();
    const next = await scene.start();
    const [back] = await scene.push(next, wanted);
    assert.equal(back?.outcome, 'written');
    const again = await scene.secretIs('db', { a: '1' });
    assert.equal(again.metadata.uid, secret?.metadata.uid);
    assert.equal(again.metadata.annotations?.['coffer.dev/retained'], undefined);
    assert.ok(scene.secrets.history.every(({ name, object }) => name !== 'db' || object !== undefined));
  });

  test('a copy of the mark on another Secret is no way to have that taken over', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start();
    await scene.push(projector, { data: { a: '1' }, deletionPolicy: 'Retain' });
    await projector.retain?.(scene.namespace, 'db');
    const retained = await scene.secrets.until(
      'db',
      (seen) => seen?.metadata.annotations?.['coffer.dev/retained'] !== undefined,
    );
    const mark = retained?.metadata.annotations?.['coffer.dev/retained'] ?? '';
    await scene.kubectl('delete', 'secret', 'db');
    await scene.kubectl('create', 'secret', 'generic', 'db', '--from-literal=a=theirs');
    await scene.kubectl('annotate', 'secret', 'db', `coffer.dev/retained=${mark}`);
    await scene.secrets.until('db', (seen) => seen?.metadata.annotations?.['coffer.dev/retained'] === mark);
    const [refused] = await scene.project(projector, 'db');
    assert.equal(refused?.error?.code, 'SECRET_NOT_OURS');
  });
});

test('scope cluster: one in each namespace that it reaches and the configuration allows, no more and no less', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const [one, two] = [await scene.addNamespace(), await scene.addNamespace()];
  const projector = await scene.start();
  const get = (namespace: string) => scene.client.get(RESOURCES.secrets, { namespace, name: 'pull' });
  const pull = { name: 'pull', data: { a: '1' } };
  const first = await scene.push(projector, { ...pull, namespaces: ['secrets-*', 'default'] });
  assert.deepEqual(
    first.map(({ outcome }) => outcome),
    ['written', 'written', 'written'],
  );
  assert.ok((await get(one)) && (await get(two)));
  assert.equal(await get('default'), undefined);
  await scene.push(projector, { ...pull, namespaces: [two] });
  assert.equal(await get(one), undefined);
  assert.ok(await get(two));
  // Deleted there, it is put back by its manifest here.
  await scene.cluster.kubectl('-n', two, 'delete', 'secret', 'pull');
  await eventually(async () => assert.ok(await get(two)));
  // It is there before the answer to who put it back.
  await scene.healed();
  await projector.prune(scene.namespace, 'pull');
  assert.equal(await get(two), undefined);
  assert.equal(await get(scene.namespace), undefined);
});

test('projection Volume: there is no Secret, and one that was there goes', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const projector = await scene.start();
  await scene.push(projector, { data: { a: '1' } });
  await scene.secretIs('db', { a: '1' });
  await scene.push(projector, { data: { a: '1' }, projection: 'Volume' });
  await scene.secrets.until('db', (secret) => secret === undefined);
});

test('an EncryptedSecret object of somebody else owns the Secret of its namespace, which goes with it', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const projector = await scene.start();
  const { namespace } = scene;
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'stands-for-it' } };
  const owner = await scene.client.create<typeof object & { metadata: { uid: string } }>(RESOURCES.configMaps, object, {
    namespace,
  });
  const name = 'stands-for-it';
  await scene.push(projector, { data: { a: '1' }, object: { namespace, name, uid: owner.metadata.uid } });
  const secret = await scene.secretIs('db', { a: '1' });
  assert.deepEqual(secret.metadata.ownerReferences, [
    { apiVersion: 'coffer.dev/v1', kind: 'EncryptedSecret', name, uid: owner.metadata.uid },
  ]);
  // Who retains it, or is in another namespace, owns nothing.
  await scene.push(projector, {
    data: { a: '1' },
    deletionPolicy: 'Retain',
    object: { namespace, name, uid: owner.metadata.uid },
  });
  await scene.secrets.until('db', (seen) => seen !== undefined && seen.metadata.ownerReferences === undefined);
  await scene.push(projector, { data: { a: '1' }, object: { namespace: 'default', name, uid: owner.metadata.uid } });
  await scene.secrets.until('db', (seen) => seen !== undefined && seen.metadata.ownerReferences === undefined);
});

test('without the digest key everything is compared by its content, and marked again', async (t) => {
  const scene = await SecretsScene.open(t);
  if (scene === undefined) return;
  const first = await scene.start();
  await scene.push(first, { data: { a: '1' } });
  const before = await scene.secretIs('db', { a: '1' });
  await first.close();
  await scene.kubectl('delete', 'secret', 'coffer-digest-key');
  const second = await scene.start();
  await scene.project(second, 'db');
  const mark = 'coffer.dev/digest';
  const marked = (secret: typeof before | undefined) =>
    secret?.metadata.annotations?.[mark] !== before.metadata.annotations?.[mark];
  await scene.secrets.until('db', marked);
  await scene.project(second, 'db');
  assert.equal(scene.opened.length, 2);
});

test('a namespace that is taken out of the configuration keeps its Secrets, also when their manifests go', async (t) => {
  const stage = await KubernetesStage.open(t, { apps: 2 });
  if (stage === undefined) return;
  const [app = '', other = ''] = stage.apps;
  const files = {
    'db.yaml': stage.manifest({ name: 'db', data: { a: '1' } }),
    'mail.yaml': stage.manifest({ namespace: other, name: 'mail', data: { a: '1' } }),
  };
  await stage.commit(files);
  const before = await stage.startAndProject();
  await stage.secretIs(other, 'mail', { a: '1' });
  assert.equal(await before.end(), 0);

  stage.configure({ secrets: { namespaces: [app] } });
  const operator = await stage.start();
  await stage.push(operator, { 'db.yaml': null, 'mail.yaml': null });
  await stage.secretIs(app, 'db', undefined);
  assert.equal(await operator.end(), 0);
  const mail = await stage.client.get(RESOURCES.secrets, { namespace: other, name: 'mail' });
  assert.equal(mail?.metadata.labels?.['coffer.dev/projected'], 'true');
});

test('a manifest that goes while the operator may not look where its Secret is: the Secret goes as soon as it may', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const proxy = await FaultProxy.start(cluster);
  t.after(() => proxy.close());
  const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
  const stage = await KubernetesStage.open(t, { kubernetesCluster: cluster, kubeconfig });
  if (stage === undefined) return;
  const { app } = stage;
  await stage.commit(stage.files({ name: 'db', data: { a: '1' } }));
  const before = await stage.startAndProject();
  await stage.secretIs(app, 'db', { a: '1' });
  assert.equal(await before.end(), 0);

  await stage.commit({ 'db.yaml': null });
  const secrets = `/api/v1/namespaces/${app}/secrets`;
  proxy.plan = ({ method, url }) =>
    method === 'GET' && url.pathname === secrets ? { kind: 'status', status: 403 } : undefined;
  const operator = await stage.startAndProject();
  proxy.plan = () => undefined;
  await stage.secretIs(app, 'db', undefined);
  assert.equal(await operator.end(), 0);
  assert.deepEqual(
    stage.site
      .audit()
      .filter(({ action, event }) => action === 'prune' && event === 'secret.outcome')
      .map(({ outcome }) => outcome)
      .filter((outcome, index, all) => outcome !== all[index - 1]),
    ['failed', 'removed'],
  );
});
