/** What people see of each secret with kubectl, with the real operator. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { testCluster } from '../support/secrets.ts';
import { type EncryptedSecretObject, KubernetesStage } from './scene/stage.ts';

interface Sealed {
  metadata: { name: string; namespace: string };
  spec: { data: Record<string, string>; keys: Record<string, Record<string, string>> };
}

/** A manifest, spoiled. */
function spoiled(text: string, spoil: (manifest: Sealed) => void): string {
  const manifest: Sealed = JSON.parse(text);
  spoil(manifest);
  return JSON.stringify(manifest);
}

const mapValues = (map: Record<string, string>, change: (value: string) => string) =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));

test('each secret that cannot be projected says why, and what to do; a repaired one says that it is well', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { app } = stage;
  const one = (name: string, more: object = {}) => stage.manifest({ name, data: { PASSWORD: 'C4N4RY' }, ...more });
  const flip = (sealed: string) =>
    sealed.replace(/.(.{20})$/, (tail) => (tail.startsWith('A') ? 'B' : 'A') + tail.slice(1));
  const manifests: Record<string, { text: string; reason: string; says: RegExp }> = {
    renamed: {
      text: spoiled(one('before'), ({ metadata }) => Object.assign(metadata, { name: 'renamed' })),
      reason: 'StanzaRefused',
      says: /name/,
    },
    'other-namespace': {
      text: spoiled(one('other-namespace', { namespace: 'elsewhere' }), ({ metadata }) =>
        Object.assign(metadata, { namespace: app }),
      ),
      reason: 'StanzaRefused',
      says: /namespace/,
    },
    'changed-byte': {
      text: spoiled(one('changed-byte'), ({ spec }) => Object.assign(spec, { data: mapValues(spec.data, flip) })),
      reason: 'ValueRefused',
      says: /changed/,
    },
    'unknown-key': {
      text: one('unknown-key', { to: [testCluster('production')] }),
      reason: 'StanzaUnknownKey',
      says: /key/,
    },
    'not-enrolled': {
      text: spoiled(one('not-enrolled'), ({ spec }) => Object.assign(spec, { keys: {} })),
      reason: 'StanzaMissing',
      says: /rewrap|stanza/i,
    },
  };
  await stage.commit(Object.fromEntries(Object.entries(manifests).map(([name, { text }]) => [`${name}.yaml`, text])));
  await stage.commit({ 'good.yaml': one('good') });
  const operator = await stage.start();
  await stage.condition(app, 'good', 'Ready', { status: 'True', reason: 'Projected' });
  for (const [name, { reason, says }] of Object.entries(manifests)) {
    const ready = await stage.condition(app, name, 'Ready', { status: 'False', reason });
    assert.match(ready.message, says, name);
    // What is wrong, and the way out.
    assert.ok(ready.message.split('. ').length >= 2, `${name}: ${ready.message}`);
    await stage.condition(app, name, 'Stalled', { status: 'True' });
  }
  const events = await stage.watch(RESOURCES.events, app);
  const told = () =>
    events.history.map(({ object }) => ({ ...object }) as { reason?: string; regarding?: { name: string } });
  for (const [name, { reason }] of Object.entries(manifests)) {
    const isTold = () => told().some((event) => event.reason === reason && event.regarding?.name === name);
    await events.until('', isTold, `an Event ${reason} of ${name}`);
  }
  await stage.push(operator, { 'renamed.yaml': one('renamed') });
  await stage.condition(app, 'renamed', 'Ready', { status: 'True', reason: 'Projected' });
  assert.deepEqual(await stage.leaks(['C4N4RY']), []);
});

test('the status names commit, key and place, and neither it nor a mirror is written by a restart', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { app } = stage;
  const commit = await stage.commit(stage.files({ name: 'db', data: { PASSWORD: 'one' } }));
  const first = await stage.startAndProject();
  await stage.condition(app, 'db', 'Ready', { status: 'True' });
  await stage.condition(app, 'db', 'Verified', { status: 'True', reason: 'Vouched' });
  const status = await stage.statusOf(app, 'db');
  assert.equal(status?.commit, commit);
  assert.equal(status?.path, 'db.yaml');
  assert.deepEqual(status?.namespaces, [app]);
  assert.match(String(status?.keyId), /^[0-9a-f]{32}$/);
  assert.match(String(status?.lastChange), /^2\d{3}-.*Z$/);
  assert.equal(await first.end(), 0);

  const objects = await stage.watch<EncryptedSecretObject>(RESOURCES.encryptedSecrets, app);
  const before = objects.history.length;
  const second = await stage.start();
  // After everything that a start writes.
  await stage.push(second, stage.files({ name: 'later', data: { PASSWORD: 'two' } }));
  await stage.condition(app, 'later', 'Ready', { status: 'True' });
  assert.deepEqual(
    objects.history.slice(before).filter(({ name }) => name === 'db'),
    [],
  );
});

test('a mirror is put back as soon as it is seen, and goes with its manifest; held, it says how to confirm', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { app } = stage;
  const names = ['a', 'b', 'c', 'd'];
  await stage.commit(stage.files(...names.map((name) => ({ name, data: { PASSWORD: name } }))));
  const operator = await stage.startAndProject();
  for (const name of names) await stage.condition(app, name, 'Ready', { status: 'True' });
  const objects = await stage.watch<EncryptedSecretObject>(RESOURCES.encryptedSecrets, app);
  const uid = objects.get('a')?.metadata.uid;
  for (const disturb of [
    ['patch', 'es', 'a', '--type=merge', '-p', '{"spec":{"type":"mallory"}}'],
    ['delete', 'es', 'a', '--wait=false'],
  ]) {
    const seen = objects.history.length;
    await stage.kubectl(...disturb);
    await objects.until(
      'a',
      (object) => objects.history.length > seen && object !== undefined && object.spec?.type === undefined,
    );
    const generation = objects.get('a')?.metadata.generation;
    await objects.until(
      'a',
      (object) => object?.status?.observedGeneration === generation,
      'a status that has seen it',
    );
  }
  assert.notEqual(objects.get('a')?.metadata.uid, uid);
  await stage.push(operator, { 'a.yaml': null });
  await objects.until('a', (object) => object === undefined);

  const commit = await stage.push(operator, { 'b.yaml': null, 'c.yaml': null });
  const held = await stage.condition(app, 'b', 'Ready', { status: 'False', reason: 'RemovalHeld' });
  assert.ok(held.message.includes(`--confirm ${commit}`), held.message);
  await stage.condition(app, 'b', 'Stalled', { status: 'True' });
});
