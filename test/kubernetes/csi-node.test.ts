import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { CofferError } from '../../core/errors.ts';
import { listMounts, ourMounts, unmount } from '../../operator/node-plugin/mounts.ts';
import { readEntries } from '../operator/tmpfs.ts';
import { TestOperator, TOKENS } from './scene/csi-operator.ts';
import { Plugin } from './scene/csi-plugin.ts';

const CANARY = 'canary-node-plugin';

interface Node {
  operator: TestOperator;
  kubelet: string;
  start(...more: string[]): Promise<Plugin>;
  /** The request of kubelet for a pod's volume, with what kubelet writes beside the target. */
  volume(id: string, more?: { group?: string; context?: Record<string, string> }): Promise<Volume>;
}

interface Volume {
  target: string;
  request: Parameters<Plugin['publish']>[0];
}

/** undefined, and the test skipped, without root. */
async function openNode(t: TestContext): Promise<Node | undefined> {
  if (process.geteuid?.() !== 0) {
    t.skip('SKIPPED: mounting needs root');
    return undefined;
  }
  const operator = await TestOperator.start(t);
  operator.contents.set('db', { version: '1', entries: { password: CANARY, user: 'api' } });
  const kubelet = join(operator.directory, 'kubelet');
  const { trustDirectory, directory } = operator;
  const options = { trustDirectory, kubeletDirectory: kubelet, privateDirectory: join(directory, 'private') };
  operator.after(async () => {
    const left = (await ourMounts()).filter(({ path }) => path.startsWith(directory));
    for (const { path } of left) await unmount(path);
    assert.deepEqual(left, [], 'mounts were left behind');
  });
  return {
    operator,
    kubelet,
    start: (...more) =>
      Plugin.start(operator, { operator: operator.address, ...options, more: ['--poll', '50ms', ...more] }),
    volume: async (id, { group, context = { secret: 'db' } } = {}) => {
      const parent = join(kubelet, 'pods', id, 'volumes/kubernetes.io~csi/secrets');
      await mkdir(parent, { recursive: true });
      await writeFile(join(parent, 'vol_data.json'), '{}');
      const target = join(parent, 'mount');
      const mount = group === undefined ? {} : { volume_mount_group: group };
      const request = {
        volume_id: id,
        target_path: target,
        volume_capability: { mount, access_mode: { mode: 1 } },
        secrets: TOKENS,
        volume_context: new Map(Object.entries({ 'csi.storage.k8s.io/ephemeral': 'true', ...context })),
      };
      return { target, request };
    },
  };
}

/** When the volume shows another set of entries. */
async function untilChanged({ target }: Volume): Promise<void> {
  const watcher = watch(target);
  try {
    await once(watcher, 'change');
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
  } finally {
    watcher.close();
  }
}

test('a volume is a tmpfs that can only be read, for whoever the pod runs as, or for its group', async (t) => {
  const node = await openNode(t);
  if (node === undefined) return;
  const plugin = await node.start();
  const [open, grouped] = [await node.volume('csi-open'), await node.volume('csi-group', { group: '2000' })];
  for (const { request } of [open, grouped]) await plugin.publish(request);
  for (const { target } of [open, grouped]) {
    assert.deepEqual(readEntries(target), { password: CANARY, user: 'api' });
    assert.throws(() => writeFileSync(join(target, 'password'), 'x'), { code: 'EROFS' });
    const [mount] = (await listMounts()).filter(({ path }) => path === target);
    assert.equal(mount?.type, 'tmpfs');
  }
  const modes = ({ target }: Volume) =>
    [target, join(target, 'password')].map((path) => {
      const { mode, gid } = statSync(path);
      return `${(mode & 0o777).toString(8)} ${gid}`;
    });
  assert.deepEqual(modes(open), ['555 0', '444 0']);
  assert.deepEqual(modes(grouped), ['550 2000', '440 2000']);
  for (const { target, request } of [open, grouped]) {
    await plugin.unpublish(request.volume_id ?? '', target);
    await plugin.unpublish(request.volume_id ?? '', target);
    assert.ok(!existsSync(target));
  }
  assert.ok(!plugin.output.includes(CANARY) && !plugin.output.includes([...TOKENS.values()].join('')));
});

test('a change arrives in place, whole, and the same version is opened once', async (t) => {
  const node = await openNode(t);
  if (node === undefined) return;
  const plugin = await node.start();
  const volume = await node.volume('csi-change');
  await plugin.publish(volume.request);
  await plugin.publish(volume.request);
  assert.deepEqual(node.operator.opened, ['1']);
  const before = readdirSync(volume.target);
  const changed = untilChanged(volume);
  node.operator.contents.set('db', { version: '2', entries: { password: 'next', extra: 'more' } });
  await changed;
  await plugin.publish(volume.request);
  assert.deepEqual(readEntries(volume.target), { password: 'next', extra: 'more' });
  assert.deepEqual(node.operator.opened, ['1', '2']);
  assert.ok(before.includes('..data') && readdirSync(volume.target).includes('..data'));
  await plugin.unpublish('csi-change', volume.target);
});

test('who is no reader any more loses the files, and Events say why; who is one again gets them back', async (t) => {
  const node = await openNode(t);
  if (node === undefined) return;
  const plugin = await node.start();
  const volume = await node.volume('csi-lost');
  await plugin.publish(volume.request);
  const refusal = new CofferError('VOLUME_NOT_READER', 'ServiceAccount payments/api may read no entry of db.', {
    advice: 'Commit a grant.',
  });
  node.operator.contents.set('db', refusal);
  // UNAVAILABLE: of any other answer older kubelets conclude that nothing is mounted, and take the folder away.
  await assert.rejects(plugin.publish(volume.request), (error: { code: number; details: string }) => {
    assert.equal(error.code, 14);
    assert.match(error.details, /VOLUME_LOST.*VOLUME_NOT_READER.*payments\/api.*Commit a grant/);
    return true;
  });
  assert.deepEqual(readdirSync(volume.target), []);
  node.operator.contents.set('db', { version: '1', entries: { password: 'again' } });
  await plugin.publish(volume.request);
  assert.deepEqual(readEntries(volume.target), { password: 'again' });
  await plugin.unpublish('csi-lost', volume.target);
});

test('while the operator is down what is mounted stays, and after a while Events say that it may be stale; new volumes wait', async (t) => {
  const node = await openNode(t);
  if (node === undefined) return;
  const patient = await node.start();
  const volume = await node.volume('csi-down');
  await patient.publish(volume.request);
  await node.operator.stop();
  await patient.publish(volume.request);
  const another = await node.volume('csi-new');
  await assert.rejects(patient.publish(another.request), {
    code: 14,
    details: /NODE_OPERATOR_UNREACHABLE.*new ones wait/,
  });
  assert.ok(!existsSync(another.target));
  await patient.stop();
  const plugin = await node.start('--stale', '300ms');
  const stale = async (): Promise<string> => {
    try {
      await plugin.publish(volume.request);
      return await stale();
    } catch (error) {
      return (error as { details: string }).details;
    }
  };
  assert.match(await stale(), /VOLUME_STALE.*NODE_OPERATOR_UNREACHABLE/);
  assert.deepEqual(readEntries(volume.target), { password: CANARY, user: 'api' });
  await plugin.unpublish('csi-down', volume.target);
});

test('a pod that is deleted half-way through mounting leaves no mount', async (t) => {
  const node = await openNode(t);
  if (node === undefined) return;
  const plugin = await node.start();
  const volume = await node.volume('csi-deleted');
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const asked = new Promise<void>((resolve) => {
    node.operator.asked = resolve;
  });
  node.operator.hold = released;
  const publishing = assert.rejects(plugin.publish(volume.request));
  await asked;
  await plugin.unpublish('csi-deleted', volume.target);
  await publishing;
  release();
  node.operator.hold = Promise.resolve();
  assert.ok(!existsSync(volume.target));
  assert.deepEqual(await ourMounts(volume.target), []);
});

test('what does not fit is refused, and what was there stays', async (t) => {
  const node = await openNode(t);
  if (node === undefined) return;
  const plugin = await node.start('--size', '1');
  const volume = await node.volume('csi-full');
  await plugin.publish(volume.request);
  node.operator.contents.set('db', { version: '2', entries: { big: 'x'.repeat(1024 * 1024 + 1) } });
  await assert.rejects(plugin.publish(volume.request), { code: 14, details: /VOLUME_FULL/ });
  assert.deepEqual(readEntries(volume.target), { password: CANARY, user: 'api' });
  node.operator.contents.set('db', { version: '3', entries: { password: 'fits' } });
  await plugin.publish(volume.request);
  assert.deepEqual(readEntries(volume.target), { password: 'fits' });
  const other = await node.volume('csi-never');
  node.operator.contents.set('db', { version: '4', entries: { big: 'x'.repeat(1024 * 1024 + 1) } });
  await assert.rejects(plugin.publish(other.request), { details: /VOLUME_FULL/ });
  assert.ok(!existsSync(other.target));
  await plugin.unpublish('csi-full', volume.target);
});

test('a killed plugin leaves the files; the next one takes them over without opening anything, and clears what is nobody’s', async (t) => {
  const node = await openNode(t);
  if (node === undefined) return;
  const killed = await node.start();
  const [kept, forgotten] = [await node.volume('csi-kept'), await node.volume('csi-forgotten')];
  for (const { request } of [kept, forgotten]) await killed.publish(request);
  await killed.kill();
  assert.deepEqual(readEntries(kept.target), { password: CANARY, user: 'api' });
  await rm(join(forgotten.target, '../vol_data.json'));
  const plugin = await node.start();
  assert.ok(!existsSync(forgotten.target));
  await plugin.publish(kept.request);
  assert.deepEqual(node.operator.opened, ['1', '1']);
  const changed = untilChanged(kept);
  node.operator.contents.set('db', { version: '2', entries: { password: 'next' } });
  await changed;
  await plugin.publish(kept.request);
  assert.equal(readFileSync(join(kept.target, 'password'), 'utf8'), 'next');
  assert.throws(() => writeFileSync(join(kept.target, 'password'), 'x'), { code: 'EROFS' });
  await plugin.kill();
  const last = await node.start();
  await last.unpublish('csi-kept', kept.target);
  assert.ok(!existsSync(kept.target));
});

test('a request that a pod’s author got wrong is refused with what to write', async (t) => {
  const node = await openNode(t);
  if (node === undefined) return;
  const plugin = await node.start();
  const wrong: Record<string, string>[] = [
    {},
    { secretName: 'db' },
    { secret: '../db' },
    { secret: 'db', mode: '0400' },
  ];
  for (const context of wrong) {
    const { request, target } = await node.volume('csi-wrong', { context });
    await assert.rejects(plugin.publish(request), { code: 3, details: /VOLUME_ATTRIBUTES.*volumeAttributes/ });
    assert.ok(!existsSync(target));
  }
  const { request } = await node.volume('csi-untokened');
  await assert.rejects(plugin.publish({ ...request, secrets: new Map() }), {
    code: 14,
    details: /NODE_TOKEN.*CSIDriver/,
  });
});
