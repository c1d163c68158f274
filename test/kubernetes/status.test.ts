import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { EncryptedSecretObject } from '../../operator/publish/mirror.ts';
import { untilAllowed } from './scene/access.ts';
import { MirrorsScene } from './scene/mirrors-scene.ts';

const COMMIT = '4f2a9c1e5b7d8a0c3e6f9b2d5a8c1e4f7b0d3a6c';
const TROUBLE = {
  ...{ code: 'STANZA_UNKNOWN_KEY', message: 'it is sealed to a key that is not here' },
  ...{ advice: 'Run `coffer rewrap`.', data: {} },
};

const condition = (object: EncryptedSecretObject | undefined, type: string) =>
  object?.status?.conditions?.find((candidate) => candidate.type === type);

/** How many versions of a mirror an onlooker saw. */
const versions = ({ objects }: MirrorsScene) => objects.history.length;

async function carried(scene: MirrorsScene, kubeconfig?: string) {
  scene.commit('db', { PASSWORD: 'one' });
  const running = await scene.start(kubeconfig);
  await running.carry();
  await scene.objects.until('db', (object) => object !== undefined);
  return running;
}

test('a status is written once, and again only when it says something else: at a restart too', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const { objects } = scene;
  const ready = scene.statusOf('db', {
    ...{ commit: COMMIT, keyId: 'f'.repeat(32), changedAt: '2026-11-21T09:00:00.123Z' },
    workloads: ['b/db', 'a/db'],
  });
  const first = await carried(scene);
  for (let times = 0; times < 50; times++) first.publisher.tell([ready]);
  const made = await objects.until('db', (object) => object?.status !== undefined);
  assert.equal(condition(made, 'Ready')?.status, 'True');
  assert.equal(condition(made, 'Verified')?.reason, 'Vouched');
  const { conditions, ...facts } = made?.status ?? {};
  assert.deepEqual(facts, {
    observedGeneration: 1,
    ...{ commit: COMMIT, shortCommit: '4f2a9c1e5b7d', keyId: 'f'.repeat(32), lastChange: '2026-11-21T09:00:00Z' },
    ...{ mirror: true, source: 'secrets', path: 'db.yaml', namespaces: ['a', 'b'] },
  });
  assert.ok(conditions?.every(({ observedGeneration }) => observedGeneration === 1));
  await first.stop();
  const before = versions(scene);

  const second = await scene.start();
  await second.carry();
  // Not remembered after a restart: what the object says stays.
  const { changedAt: _, ...remembered } = ready;
  second.publisher.tell([remembered]);
  await second.publisher.close();
  scene.commit('later', { PASSWORD: 'two' });
  await second.carry();
  await objects.until('later', (object) => object !== undefined);
  assert.equal(versions(scene), before + 1, 'one for `later`');
});

test('a condition keeps the time of its last turn while its reason changes', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const { objects } = scene;
  const { publisher } = await carried(scene);
  const failed = { state: 'failed', trouble: TROUBLE, commit: COMMIT } as const;
  publisher.tell([scene.statusOf('db', failed)]);
  const one = await objects.until('db', (object) => condition(object, 'Stalled') !== undefined);
  const turned = condition(one, 'Ready')?.lastTransitionTime ?? '';
  // Times are whole seconds.
  await setTimeout(Math.max(0, Date.parse(turned) + 1000 - Date.now()));

  const busy = { ...TROUBLE, code: 'KUBERNETES_BUSY' };
  publisher.tell([scene.statusOf('db', { ...failed, trouble: busy, isRetried: true })]);
  const two = await objects.until('db', (object) => condition(object, 'Reconciling') !== undefined);
  assert.equal(condition(two, 'Ready')?.reason, 'KubernetesBusy');
  assert.equal(condition(two, 'Ready')?.lastTransitionTime, turned);
  assert.equal(condition(two, 'Stalled'), undefined);
  publisher.tell([scene.statusOf('db', { commit: COMMIT })]);
  const three = await objects.until('db', (object) => condition(object, 'Ready')?.status === 'True');
  assert.notEqual(condition(three, 'Ready')?.lastTransitionTime, turned);
  assert.equal(condition(three, 'Reconciling'), undefined);
});

test('people are told once of each change: not of a retry, of a restart, or of what is new and well', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const { objects, events } = scene;
  const failed = { state: 'failed', trouble: TROUBLE, commit: COMMIT } as const;
  const told = () => events.map(({ type, reason }) => `${type} ${reason}`);
  const first = await carried(scene);
  first.publisher.tell([scene.statusOf('db', { commit: COMMIT })]);
  await objects.until('db', (object) => condition(object, 'Ready')?.status === 'True');
  for (let times = 0; times < 3; times++) {
    first.publisher.tell([scene.statusOf('db', failed)]);
    await first.publisher.close();
  }
  assert.deepEqual(told(), ['Warning StanzaUnknownKey']);
  await first.stop();
  const second = await scene.start();
  await second.carry();
  second.publisher.tell([scene.statusOf('db', failed)]);
  await second.publisher.close();
  second.publisher.tell([scene.statusOf('db', { commit: 'b'.repeat(40) })]);
  await second.publisher.close();
  assert.deepEqual(told(), ['Warning StanzaUnknownKey', 'Normal Projected']);
  assert.deepEqual(events.at(-1)?.regarding, {
    ...{ apiVersion: 'coffer.dev/v1', kind: 'EncryptedSecret', namespace: scene.namespace, name: 'db' },
    uid: objects.get('db')?.metadata.uid,
  });
});

test('kubectl get encryptedsecrets tells the state of each, and kubectl wait sees it', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const { cluster, namespace } = scene;
  scene.commit('api', { TOKEN: 'two' });
  const { publisher } = await carried(scene);
  publisher.tell([
    scene.statusOf('db', { commit: COMMIT, workloads: [`${namespace}/db`] }),
    scene.statusOf('api', { state: 'failed', trouble: TROUBLE }),
  ]);
  await cluster.kubectl('-n', namespace, 'wait', '--for=condition=Ready', '--timeout=240s', 'es/db');
  await cluster.kubectl('-n', namespace, 'wait', '--for=condition=Stalled', '--timeout=240s', 'es/api');
  const table = await cluster.kubectl('get', 'encryptedsecrets', '-A');
  const rows = table.split('\n').map((line) => line.trim().split(/\s+/));
  assert.deepEqual(rows[0], ['NAMESPACE', 'NAME', 'READY', 'VERIFIED', 'REASON', 'COMMIT', 'AGE']);
  const ours = rows.filter(([where]) => where === namespace).map((row) => row.slice(1, 6));
  assert.deepEqual(ours[0]?.slice(0, 4), ['api', 'False', 'True', 'StanzaUnknownKey']);
  assert.deepEqual(ours[1], ['db', 'True', 'True', 'Projected', '4f2a9c1e5b7d']);
  const wide = await cluster.kubectl('-n', namespace, 'get', 'es', '-o', 'wide');
  assert.match(wide, /It is sealed to a key that is not here\. Run `coffer rewrap`\./);
});

test('an object that somebody else carries gets a status, and nothing else of it changes', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const { objects, namespace } = scene;
  const manifest = scene.commit('db', { PASSWORD: 'theirs' });
  const running = await scene.start();
  const verified = { status: 'True', reason: 'Vouched', message: 'a commit has it', commit: COMMIT } as const;
  // Told before the object is there: it is written when it comes.
  running.publisher.tell([scene.statusOf('db', { verified })]);
  const path = `/apis/coffer.dev/v1/namespaces/${namespace}/encryptedsecrets`;
  await scene.cluster.admin.expect('POST', path, manifest.document.value as object);
  const told = await objects.until('db', (object) => object?.status !== undefined);
  // Its status may be there before the answer to who made it.
  const made = objects.history.find(({ name }) => name === 'db')?.object;
  assert.equal(made?.status, undefined);
  assert.equal(condition(told, 'Verified')?.status, 'True');
  assert.equal(told?.status?.mirror, undefined);
  assert.deepEqual(told?.spec, made?.spec);
  assert.equal(told?.metadata.generation, made?.metadata.generation);
  assert.deepEqual(told?.metadata.labels, undefined);
});

test('a status that cannot be written is written when it can be', async (t) => {
  const scene = await MirrorsScene.open(t);
  if (scene === undefined) return;
  const { cluster, namespace, objects } = scene;
  const name = `${namespace}-writer`;
  const subjects = [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }];
  const grant = async (role: string, resource: string) => {
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    const rules = [{ apiGroups: ['coffer.dev'], resources: [resource], verbs: ['*'] }];
    await cluster.admin.expect('POST', `${rbac}/roles`, { metadata: { name: role }, rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role };
    await cluster.admin.expect('POST', `${rbac}/rolebindings`, { metadata: { name: role }, roleRef, subjects });
  };
  await grant('objects', 'encryptedsecrets');
  await untilAllowed(cluster, name, { namespace, group: 'coffer.dev', resource: 'encryptedsecrets', verb: 'patch' });
  const { publisher } = await carried(scene, await cluster.kubeconfigFor({ name }));
  publisher.tell([scene.statusOf('db', { commit: COMMIT })]);
  await publisher.close();
  assert.equal(publisher.trouble?.code, 'KUBERNETES_FORBIDDEN');
  await grant('status', 'encryptedsecrets/status');
  await objects.until('db', (object) => condition(object, 'Ready')?.status === 'True');
  await publisher.close();
  assert.equal(publisher.trouble, undefined);
});
