import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import { ourMounts } from '../../operator/node-plugin/mounts.ts';
import { type Node, nodeOrSkip } from '../cluster/node.ts';
import { Plugin } from './scene/csi-plugin.ts';
import { Onlooker } from './scene/onlooker.ts';
import { canary, VolumesScene } from './scene/volumes-scene.ts';

interface Event extends KubeObject {
  regarding?: { name?: string };
  reason?: string;
  note?: string;
}

/** Applies the CSIDriver that is installed with coffer. */
async function applyDriver({ stage }: VolumesScene): Promise<void> {
  const documents = readFileSync(join(import.meta.dirname, '../../deploy/install.yaml'), 'utf8').split(/^---$/m);
  const driver = documents.find((text) => /^kind: CSIDriver$/m.test(text));
  assert.ok(driver, 'deploy/install.yaml has no CSIDriver');
  const file = stage.site.path('driver.yaml');
  writeFileSync(file, driver);
  await stage.cluster.kubectl('apply', '--server-side', '--force-conflicts', '-f', file);
}

/** Files of a folder's own file system, so not those of what is mounted below it, that hold any of these texts. */
async function filesWith(folder: string, texts: readonly string[]): Promise<string> {
  const needles = texts.flatMap((text) => ['-e', text, '-e', Buffer.from(text).toString('base64').slice(0, -4)]);
  const options = [folder, '-xdev', '-type', 'f', '-exec', 'grep', '-lF', ...needles, '{}', '+'];
  const { stdout } = await promisify(execFile)('find', options).catch((error: { stdout: string }) => error);
  return stdout;
}

test('a pod on a real node reads its secret from memory, follows a change, and leaves nothing behind', async (t) => {
  const scene = await VolumesScene.open(t);
  if (scene === undefined) return;
  const { stage, app } = scene;
  const { cluster, client } = stage;
  const node = await nodeOrSkip(t, cluster);
  if (node === undefined) return;
  const [first, second] = [canary('first'), canary('second')];
  await stage.commit(stage.files({ name: 'db', data: { password: first, user: 'one' }, readers: ['api'] }));
  for (const name of ['api', 'worker']) await scene.serviceAccount(name);
  await applyDriver(scene);
  const operator = await scene.start();
  const plugin = await Plugin.start(t, {
    operator: scene.address,
    trustDirectory: await scene.trustDirectory(),
    kubeletDirectory: node.rootDirectory,
    privateDirectory: stage.site.path('private'),
    node: node.name,
    more: ['--poll', '500ms'],
  });
  const events = await Onlooker.open<Event>(t, client, RESOURCES.events, app);
  const start = (name: string, serviceAccountName: string) => startReader(node, app, name, serviceAccountName);

  await start('reader', 'api');
  await node.untilRunning(app, 'reader');
  assert.equal(await node.exec(app, 'reader', 'cat', '/secrets/password'), first);
  assert.match(
    await node.exec(app, 'reader', 'grep', ' /secrets ', '/proc/mounts'),
    /^coffer\.dev \/secrets tmpfs ro,/,
  );
  const refused = node.exec(app, 'reader', 'sh', '-c', 'echo x > /secrets/password');
  await assert.rejects(refused, /Read-only file system/);

  await start('stranger', 'worker');
  const told = await failedMount(events, 'stranger');
  assert.match(
    told,
    new RegExp(`VOLUME_NOT_READER: ServiceAccount ${app}/worker may read no entry of db; its readers are: api`),
  );

  await scene.push(stage.files({ name: 'db', data: { password: second, user: 'two' }, readers: ['api'] }));
  const wait = 'until grep -q two /secrets/user; do sleep 0.1; done; cat /secrets/user /secrets/password';
  assert.equal(await node.exec(app, 'reader', 'sh', '-c', wait), `two${second}`);

  assert.equal(await operator.end(), 0);
  await start('waiting', 'api');
  assert.match(
    await failedMount(events, 'waiting'),
    /NODE_OPERATOR_UNREACHABLE.*Volumes that are mounted stay; new ones wait/,
  );
  assert.equal(await node.exec(app, 'reader', 'cat', '/secrets/password'), second);
  for (const folder of [node.rootDirectory, join(node.rootDirectory, '..'), join(cluster.directory, 'etcd'), node.logs])
    assert.equal(await filesWith(folder, [first, second]), '', 'a value on the disk');
  assert.notEqual(await filesWith(join(cluster.directory, 'etcd'), [app]), '', 'the search finds what is there');
  await scene.startAgain();
  await node.untilRunning(app, 'waiting');
  assert.equal(await node.exec(app, 'waiting', 'cat', '/secrets/password'), second);

  for (const name of ['reader', 'waiting', 'stranger']) await client.delete(RESOURCES.pods, { namespace: app, name });
  for (const name of ['reader', 'waiting'])
    await plugin.said((line) => line.includes('"unmounted"') && line.includes(`${app}/${name}`));
  const targets = (await ourMounts()).filter(({ path }) => path.startsWith(node.rootDirectory));
  assert.deepEqual(targets, []);
  assert.ok(![first, second].some((value) => plugin.output.includes(value)));
  assert.deepEqual(await stage.leaks([first, second]), []);
  const intents = scene.record('mount').filter(({ event }) => event === 'secret.intent');
  const readers = intents.map(({ actor }) => (actor as { pod: string }).pod);
  assert.deepEqual([...new Set(readers)].sort(), ['reader', 'waiting']);
});

function startReader(node: Node, namespace: string, name: string, serviceAccountName: string): Promise<void> {
  const csi = { driver: 'csi.coffer.dev', volumeAttributes: { secret: 'db' } };
  return node.startPod(namespace, name, {
    spec: { serviceAccountName, volumes: [{ name: 'secrets', csi }] },
    container: { volumeMounts: [{ name: 'secrets', mountPath: '/secrets' }] },
  });
}

/** What a pod's first Event of a mount that failed says. */
async function failedMount(events: Onlooker<Event>, pod: string): Promise<string> {
  const isIt = ({ regarding, reason, note = '' }: Event) =>
    regarding?.name === pod && reason === 'FailedMount' && /[A-Z]+_[A-Z]+: /.test(note);
  const found = await events.untilAny(isIt);
  return found.note ?? '';
}
