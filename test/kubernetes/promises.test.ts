import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { AuditLine } from '../../core/audit/record.ts';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import { untilSigned } from '../operator/signed.ts';
import { fillUp, smallTmpfs } from '../operator/tmpfs.ts';
import { damaged } from '../support/damaged.ts';
import { holds, textsOf } from './scene/secret-texts.ts';
import { KubernetesStage } from './scene/stage.ts';

/** Who is killed keeps its lease until that ends. */
const SOON_FREE = { kubernetes: { leaderElection: { duration: '3s' } } };

describe('promise 1 on Kubernetes: last good stays', () => {
  test('a bad manifest changes nothing of its own and holds back no other; mended, it is taken up', async (t) => {
    const stage = await KubernetesStage.open(t);
    if (stage === undefined) return;
    const { app } = stage;
    await stage.commit(stage.files({ name: 'db', data: { a: 'good' } }));
    const operator = await stage.startAndProject();
    await stage.push(operator, {
      'db.yaml': damaged(stage.manifest({ name: 'db', data: { a: 'never' } })),
      ...stage.files({ name: 'mail', data: { a: 'new' } }),
    });
    await stage.secretIs(app, 'mail', { a: 'new' });
    await stage.secretIs(app, 'db', { a: 'good' });
    const { message } = await stage.condition(app, 'db', 'Ready', { status: 'False' });
    assert.ok(message.length > 20, message);
    await stage.push(operator, stage.files({ name: 'db', data: { a: 'mended' } }));
    await stage.secretIs(app, 'db', { a: 'mended' });
    await stage.condition(app, 'db', 'Ready', { status: 'True' });
  });

  test('deleted while the operator was down it comes back, although the newest commit is bad or the repository away', async (t) => {
    const stage = await KubernetesStage.open(t, SOON_FREE);
    if (stage === undefined) return;
    const { app, site } = stage;
    await stage.commit(stage.files({ name: 'db', data: { a: 'good' } }));
    const first = await stage.startAndProject();
    await stage.push(first, { 'db.yaml': damaged(stage.manifest({ name: 'db', data: { a: 'never' } })) });
    await first.kill();
    await stage.kubectl('delete', 'secret', 'db');
    const second = await stage.start();
    await stage.secretIs(app, 'db', { a: 'good' });
    await second.kill();
    await stage.kubectl('delete', 'secret', 'db');
    fs.renameSync(site.path('repository'), site.path('away'));
    await stage.start();
    await stage.secretIs(app, 'db', { a: 'good' });
  });
});

test('promise 2 on Kubernetes: while the log cannot be written nothing new is projected, and it goes on by itself', async (t) => {
  const audit = smallTmpfs(t, 4096);
  if (audit === undefined) return;
  const stage = await KubernetesStage.open(t, { audit, interval: '200ms' });
  if (stage === undefined) return;
  const { app } = stage;
  await stage.commit(stage.files({ name: 'db', data: { a: 'old' } }));
  const operator = await stage.startAndProject();
  await untilSigned(operator);
  const filler = join(audit, 'filler');
  fillUp(filler);
  // Its record is longer than what is left of the log's last block.
  const long = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}`.padEnd(100, 'x'), '1']));
  await stage.commit(stage.files({ name: 'db', data: { a: 'new', ...long } }));
  await operator.line(({ code }) => code === 'AUDIT_FULL');
  await stage.secretIs(app, 'db', { a: 'old' });
  fs.rmSync(filler);
  await stage.secretIs(app, 'db', { a: 'new', ...long });
});

test('promise 3 on Kubernetes: kill -9 at random moments, and whoever watches sees whole versions only', async (t) => {
  const stage = await KubernetesStage.open(t, { interval: '50ms', ...SOON_FREE });
  if (stage === undefined) return;
  const secrets = await stage.secrets();
  const entries = Array.from({ length: 20 }, (_, index) => `entry-${index}`);
  const names = ['one', 'two', 'three'];
  const dataOf = (version: number) => Object.fromEntries(entries.map((entry) => [entry, `${version}`]));
  const commit = (version: number) =>
    stage.commit(stage.files(...names.map((name) => ({ name, data: dataOf(version) }))));
  const rounds = 4;
  await commit(0);
  for (let version = 1; version <= rounds; version++) {
    const operator = stage.spawn();
    await operator.line(({ msg }) => msg === 'leading');
    await commit(version);
    await setTimeout(randomInt(900));
    await operator.kill();
  }
  await stage.start();
  for (const name of names) await stage.secretIs(stage.app, name, dataOf(rounds));
  const seen = secrets.history.filter(({ name }) => names.includes(name));
  for (const { name, object } of seen) {
    assert.ok(object, `${name} was gone`);
    const texts = textsOf(object);
    assert.deepEqual(Object.keys(texts).length, entries.length);
    assert.equal(new Set(Object.values(texts)).size, 1, 'a mixture');
  }
});

describe('promise 4 on Kubernetes: prunes what it owns, and not in bulk by mistake', () => {
  test('an emptied repository is held until a person confirms; what is retained stays even then', async (t) => {
    const stage = await KubernetesStage.open(t);
    if (stage === undefined) return;
    const names = ['a', 'b', 'c', 'd'];
    const files = {
      ...stage.files(...names.map((name) => ({ name, data: { x: '1' } }))),
      ...stage.files({ name: 'kept', data: { x: '1' }, deletionPolicy: 'Retain' }),
    };
    await stage.commit(files);
    const operator = await stage.startAndProject();
    const commit = await stage.commit(Object.fromEntries(Object.keys(files).map((name) => [name, null])));
    await operator.wake();
    await operator.line((line) => line.level === 'error' && line.commit === commit);
    const { message } = await stage.condition(stage.app, 'a', 'Ready', { status: 'False' });
    assert.match(message, new RegExp(commit.slice(0, 7)));
    for (const name of names) await stage.secretIs(stage.app, name, { x: '1' });
    assert.equal(await stage.spawn('--confirm', commit).exit(), 0);
    await operator.wake();
    for (const name of names) await stage.secretIs(stage.app, name, undefined);
    const secrets = await stage.secrets();
    const kept = await secrets.until(
      'kept',
      (secret) => secret?.metadata.labels?.['coffer.dev/projected'] === undefined,
    );
    assert.ok(holds(kept, { x: '1' }));
  });

  test('somebody else’s Secret of that name is refused, and left alone when the manifest goes', async (t) => {
    const stage = await KubernetesStage.open(t);
    if (stage === undefined) return;
    await stage.kubectl('create', 'secret', 'generic', 'db', '--from-literal=a=theirs');
    await stage.commit(stage.files({ name: 'db', data: { a: 'ours' } }, { name: 'mail', data: { a: '1' } }));
    const operator = await stage.startAndProject();
    const { message } = await stage.condition(stage.app, 'db', 'Ready', { status: 'False' });
    assert.match(message, /coffer\.dev\/adopt=true/);
    // Its own pods need no leave of ours.
    const readers = await stage.client.list<SecretReaders>(RESOURCES.secretReaders, { namespace: stage.app });
    assert.deepEqual(
      readers.items.flatMap(({ spec }) => Object.keys(spec.secrets)),
      ['mail'],
    );
    await stage.push(operator, { 'db.yaml': null });
    await stage.secretIs(stage.app, 'db', { a: 'theirs' });
  });
});

describe('promise 5 on Kubernetes: heals', () => {
  test('what others change or delete is back as soon as it is seen, not only when everything is looked at', async (t) => {
    const stage = await KubernetesStage.open(t, { secrets: { resync: '1h' } });
    if (stage === undefined) return;
    const { app } = stage;
    await stage.commit(stage.files({ name: 'db', data: { a: '1' } }, { name: 'mail', data: { a: '1' } }));
    await stage.startAndProject();
    const secrets = await stage.secrets();
    const name = { namespace: app, name: 'db' };
    const times: number[] = [];
    for (const disturb of [
      () => stage.client.delete(RESOURCES.secrets, name),
      () => stage.client.patch(RESOURCES.secrets, name, THEIRS, { type: 'merge' }),
      () => stage.client.delete(RESOURCES.secrets, name),
    ]) {
      secrets.history.length = 0;
      await disturb();
      const started = performance.now();
      await secrets.until('db', (secret) => secrets.history.length > 1 && holds(secret, { a: '1' }));
      times.push(performance.now() - started);
    }
    // Within a second on a machine that is not busy with other tests.
    t.diagnostic(`milliseconds: ${times.map(Math.round).join(', ')}`);
    assert.ok(secrets.history.every(({ name }) => name === 'db'));
  });

  test('a second run over the same commit writes nothing, opens nothing, and records nothing', async (t) => {
    const stage = await KubernetesStage.open(t);
    if (stage === undefined) return;
    const { app, site } = stage;
    const names = Array.from({ length: 10 }, (_, index) => `s${index}`);
    await stage.commit(stage.files(...names.map((name) => ({ name, data: { a: name } }))));
    const first = await stage.startAndProject();
    for (const name of names) await stage.condition(app, name, 'Ready', { status: 'True' });
    assert.equal(await first.end(), 0);
    const versions = async () => {
      const kinds = [RESOURCES.secrets, RESOURCES.encryptedSecrets, RESOURCES.secretReaders, RESOURCES.configMaps];
      const lists = await Promise.all(kinds.map((kind) => stage.client.list(kind, { namespace: app })));
      return lists.flatMap(({ items }) => items.map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`));
    };
    const before = await versions();
    const opened = openings(site.audit());
    const second = await stage.start();
    await second.line(({ msg }) => msg === 'brought back the last good state');
    await second.wake();
    assert.equal(await second.end(), 0);
    assert.deepEqual(await versions(), before);
    assert.deepEqual(openings(site.audit()), opened);
  });
});

test('promise 6 on Kubernetes: a commit that touches one manifest opens one and writes one', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
  await stage.commit(stage.files(...names.map((name) => ({ name, data: { a: '1' } }))));
  const operator = await stage.startAndProject();
  const secrets = await stage.secrets();
  for (const name of names) await stage.secretIs(stage.app, name, { a: '1' });
  const before = openings(stage.site.audit()).length;
  secrets.history.length = 0;
  await stage.push(operator, stage.files({ name: 's7', data: { a: '2' } }));
  await stage.secretIs(stage.app, 's7', { a: '2' });
  assert.deepEqual(openings(stage.site.audit()).slice(before), ['s7']);
  assert.deepEqual([...new Set(secrets.history.map(({ name }) => name))], ['s7']);
});

interface SecretReaders extends KubeObject {
  spec: { secrets: Record<string, string[]> };
}

const THEIRS = { data: { a: Buffer.from('theirs').toString('base64') } };

/** Names of what the log says was about to be opened. */
function openings(lines: readonly AuditLine[]): unknown[] {
  return lines.filter(({ event }) => event === 'secret.intent').map(({ name }) => name);
}
