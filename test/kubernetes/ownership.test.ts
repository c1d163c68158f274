import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { describe, test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { apply, openCarried, othersFields } from './scene/carrier.ts';
import type { SecretObject } from './scene/secret-texts.ts';
import { type EncryptedSecretObject, KubernetesStage } from './scene/stage.ts';

/** One owner for each (namespace, name), and what is in the cluster wins over an older memory. */

describe('one owner', () => {
  test('a manifest in git owns its name: an object of somebody else gets a status and is left alone', async (t) => {
    const stage = await openCarried(t, { carriedBy: 'operator', unverified: 1 });
    if (stage === undefined) return;
    const { app } = stage;
    const ours = stage.manifest({ name: 'db', data: { a: 'git' } });
    const object = await apply(stage, stage.manifest({ name: 'db', data: { a: 'theirs' } }));
    await stage.commit({ 'db.yaml': ours });
    await stage.startAndProject();
    await stage.secretIs(app, 'db', { a: 'git' });
    await stage.condition(app, 'db', 'Verified', { status: 'False', reason: 'Differs' });
    const same = await apply(stage, ours);
    await stage.condition(app, 'db', 'Verified', { status: 'True', reason: 'Vouched' });
    assert.equal(same.metadata.uid, object.metadata.uid);
    await stage.kubectl('delete', 'encryptedsecret', 'db');
    // What git carries is not gone with the object, and gets a mirror.
    const objects = await stage.watch<EncryptedSecretObject>(RESOURCES.encryptedSecrets, app);
    const mirror = await objects.until(
      'db',
      (seen) => seen !== undefined && seen.metadata.uid !== object.metadata.uid,
      'a mirror',
    );
    assert.ok(mirror !== undefined && othersFields(mirror).includes('coffer-operator'));
    await stage.secretIs(app, 'db', { a: 'git' });
  });

  test('who reaches a name first keeps it: the second object gets Conflict, and the name when the first is gone', async (t) => {
    const stage = await openCarried(t, { apps: 2, unverified: 2 });
    if (stage === undefined) return;
    const [one = '', other = ''] = stage.apps;
    await stage.commit(stage.files({ name: 'unrelated', data: { a: 'one' } }));
    await stage.startAndProject();
    const wide = { namespace: one, name: 'pull', scope: 'cluster' as const, namespaces: [other] };
    await apply(stage, stage.manifest({ ...wide, data: { a: 'wide' } }));
    await stage.secretIs(other, 'pull', { a: 'wide' });
    await apply(stage, stage.manifest({ namespace: other, name: 'pull', data: { a: 'own' } }));
    const { message } = await stage.condition(other, 'pull', 'Ready', { status: 'False', reason: 'Conflict' });
    assert.match(message, new RegExp(`${one}/pull`));
    await stage.secretIs(other, 'pull', { a: 'wide' });
    await stage.kubectl('-n', one, 'delete', 'encryptedsecret', 'pull');
    await stage.secretIs(other, 'pull', { a: 'own' });
    await stage.condition(other, 'pull', 'Ready', { status: 'True' });
  });
});

describe('who may write Secrets in one namespace', () => {
  test('gives no name of another namespace to a manifest of theirs, by whatever they write as our field manager', async (t) => {
    const stage = await KubernetesStage.open(t, { apps: 2 });
    if (stage === undefined) return;
    const [victim = '', theirs = ''] = stage.apps;
    const db = (value: string) => stage.manifest({ namespace: victim, name: 'db', data: { a: value } });
    await stage.commit({ 'owner.yaml': db('owner') });
    const first = await stage.startAndProject();
    await stage.secretIs(victim, 'db', { a: 'owner' });
    await stage.push(first, { 'theirs.yaml': db('theirs') });
    const name = { namespace: victim, name: 'db' };
    const secret = await stage.client.get<SecretObject>(RESOURCES.secrets, name);
    const mark = JSON.parse(secret?.metadata.annotations?.['coffer.dev/provenance'] ?? '{}') as object;
    await first.end();
    // Now no other Secret says whose the name is.
    await stage.kubectl('delete', 'secret', 'db');
    const forged = JSON.stringify({ ...mark, path: 'theirs.yaml', commit: 'f'.repeat(40) });
    const metadata = {
      ...{ namespace: theirs, name: 'db', labels: { 'coffer.dev/projected': 'true' } },
      annotations: { 'coffer.dev/provenance': forged },
    };
    await stage.client.apply(RESOURCES.secrets, metadata, { apiVersion: 'v1', kind: 'Secret', metadata });
    const secrets = await stage.secrets(victim);
    const seen = secrets.history.length;
    await stage.start();
    await secrets.until('db', (found) => found !== undefined, 'a Secret');
    await stage.secretIs(victim, 'db', { a: 'owner' });
    assert.ok(!JSON.stringify(secrets.history.slice(seen)).includes('theirs.yaml'));
  });
});

describe('a replica whose state directory is older than the cluster', () => {
  test('neither takes a secret back to what it was nor prunes what came since, and goes on when git answers', async (t) => {
    const stage = await KubernetesStage.open(t, { interval: '200ms' });
    if (stage === undefined) return;
    const { app, site } = stage;
    await stage.commit(stage.files({ name: 'db', data: { a: 'one' } }, { name: 'stale', data: { a: 'one' } }));
    const first = await stage.startAndProject();
    await stage.condition(app, 'db', 'Ready', { status: 'True' });
    await first.end();
    fs.cpSync(site.path('state'), site.path('older'), { recursive: true });

    const second = await stage.start();
    await stage.push(second, {
      ...stage.files({ name: 'db', data: { a: 'two' } }, { name: 'mail', data: { a: 'new' } }),
      'stale.yaml': null,
    });
    await stage.secretIs(app, 'mail', { a: 'new' });
    await stage.secretIs(app, 'stale', undefined);
    await stage.secretIs(app, 'db', { a: 'two' });
    await second.end();

    fs.rmSync(site.path('state'), { recursive: true });
    fs.renameSync(site.path('older'), site.path('state'));
    fs.renameSync(site.path('repository'), site.path('away'));
    const secrets = await stage.secrets();
    const seen = secrets.history.length;
    const third = await stage.start();
    await third.line(({ code }) => code?.startsWith('SOURCE_') === true);
    assert.deepEqual(secrets.history.slice(seen), []);
    fs.renameSync(site.path('away'), site.path('repository'));
    await stage.push(third, stage.files({ name: 'db', data: { a: 'three' } }));
    await stage.secretIs(app, 'db', { a: 'three' });
    await stage.secretIs(app, 'mail', { a: 'new' });
    await stage.push(third, { 'mail.yaml': null });
    await stage.secretIs(app, 'mail', undefined);
  });
});
