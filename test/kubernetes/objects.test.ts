import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { eventually } from '../operator/site.ts';
import { damaged } from '../support/damaged.ts';
import { apply, openCarried, othersFields } from './scene/carrier.ts';
import type { SecretObject } from './scene/secret-texts.ts';
import type { EncryptedSecretObject } from './scene/stage.ts';

/** EncryptedSecret objects that others carry to the cluster, and git that vouches for them. */

describe('an object that somebody else applies', () => {
  test('is projected when an accepted commit has it, be it ahead of or behind git; what was good stays until then', async (t) => {
    const stage = await openCarried(t);
    if (stage === undefined) return;
    const { app } = stage;
    const one = stage.manifest({ name: 'db', data: { a: 'one' } });
    const commit = await stage.commit({ 'db.yaml': one });
    const operator = await stage.startAndProject();
    assert.equal(await stage.client.get(RESOURCES.encryptedSecrets, { namespace: app, name: 'db' }), undefined);
    const object = await apply(stage, one);
    await stage.secretIs(app, 'db', { a: 'one' });
    const verified = await stage.condition(app, 'db', 'Verified', { status: 'True', reason: 'Vouched' });
    assert.match(verified.message, new RegExp(commit));
    await stage.condition(app, 'db', 'Ready', { status: 'True' });
    const secret = await stage.client.get<SecretObject>(RESOURCES.secrets, { namespace: app, name: 'db' });
    assert.deepEqual(
      secret?.metadata.ownerReferences?.map(({ kind, name, uid }) => [kind, name, uid]),
      [['EncryptedSecret', 'db', object.metadata.uid]],
    );

    const two = stage.manifest({ name: 'db', data: { a: 'two' } });
    await apply(stage, two);
    await stage.condition(app, 'db', 'Verified', { status: 'False', reason: 'Differs' });
    const { message } = await stage.condition(app, 'db', 'Ready', { status: 'False', reason: 'ObjectDiffers' });
    assert.match(message, /What was projected before stays/);
    await stage.kubectl('delete', 'secret', 'db');
    await stage.secretIs(app, 'db', { a: 'one' });
    await stage.push(operator, { 'db.yaml': two });
    await stage.secretIs(app, 'db', { a: 'two' });

    // The carrier is behind.
    const three = stage.manifest({ name: 'db', data: { a: 'three' } });
    const newest = await stage.push(operator, { 'db.yaml': three });
    const behind = await stage.condition(app, 'db', 'Verified', { status: 'True', reason: 'Behind' });
    assert.match(behind.message, new RegExp(`otherwise in db\\.yaml as of the newer commit ${newest}$`));
    await stage.secretIs(app, 'db', { a: 'two' });
    await apply(stage, three);
    await stage.condition(app, 'db', 'Verified', { status: 'True', reason: 'Vouched' });
    await stage.secretIs(app, 'db', { a: 'three' });
    const after = await stage.client.get<EncryptedSecretObject>(RESOURCES.encryptedSecrets, {
      namespace: app,
      name: 'db',
    });
    assert.deepEqual(after && othersFields(after), [], 'the operator writes nothing but the status');
  });

  test('takes its Secret away when it goes, and a restart in between changes nothing', async (t) => {
    const stage = await openCarried(t);
    if (stage === undefined) return;
    const { app } = stage;
    const manifest = stage.manifest({ name: 'db', data: { a: 'one' } });
    await stage.commit({ 'db.yaml': manifest });
    const first = await stage.startAndProject();
    await apply(stage, manifest);
    await stage.condition(app, 'db', 'Ready', { status: 'True' });
    const secrets = await stage.secrets();
    const before = secrets.get('db')?.metadata.resourceVersion;
    await first.end();
    const second = await stage.start();
    await second.line(({ msg }) => msg === 'brought back the last good state');
    assert.equal(secrets.get('db')?.metadata.resourceVersion, before);
    await stage.kubectl('delete', 'encryptedsecret', 'db');
    await stage.secretIs(app, 'db', undefined);
    await eventually(async () => assert.deepEqual((await second.status()).secrets, []));
  });

  test('that no commit has is projected only where that is allowed, and reaches no other namespace', async (t) => {
    const stage = await openCarried(t, { apps: 2, unverified: 1 });
    if (stage === undefined) return;
    const [strict = '', lenient = ''] = stage.apps;
    await stage.commit(stage.files({ name: 'other', data: { a: 'one' } }));
    await stage.startAndProject();
    await apply(stage, stage.manifest({ namespace: strict, name: 'db', data: { a: 'one' } }));
    await stage.condition(strict, 'db', 'Verified', { status: 'False', reason: 'NoCommit' });
    await stage.condition(strict, 'db', 'Ready', { status: 'False', reason: 'ObjectNoCommit' });
    const wide = { namespace: lenient, name: 'pull', scope: 'cluster' as const, namespaces: [strict] };
    await apply(stage, stage.manifest({ ...wide, data: { a: 'one' } }));
    await stage.secretIs(lenient, 'pull', { a: 'one' });
    await stage.condition(lenient, 'pull', 'Verified', { status: 'False', reason: 'NoCommit' });
    await stage.condition(lenient, 'pull', 'Ready', { status: 'True' });
    assert.deepEqual((await stage.secrets(strict)).names(), []);
  });

  test('that is sealed to another cluster, or in which a byte is another, says so', async (t) => {
    const stage = await openCarried(t, { unverified: 1 });
    if (stage === undefined) return;
    const { app } = stage;
    await stage.commit(stage.files({ name: 'other', data: { a: 'one' } }));
    await stage.startAndProject();
    await apply(stage, stage.manifest({ name: 'theirs', to: [stage.site.staging], data: { a: 'one' } }));
    await stage.condition(app, 'theirs', 'Ready', { status: 'False', reason: 'ManifestNotForUs' });
    const broken = damaged(stage.manifest({ name: 'broken', data: { a: 'one' } }));
    await apply(stage, broken);
    await stage.condition(app, 'broken', 'Ready', { status: 'False', reason: 'ValueRefused' });
  });

  test('deleted together with most of the others: their Secrets are put back and held until a person confirms', async (t) => {
    const stage = await openCarried(t, { unverified: 1 });
    if (stage === undefined) return;
    const { app } = stage;
    const names = ['a', 'b', 'c', 'd'];
    await stage.commit({ README: 'nothing' });
    const operator = await stage.startAndProject();
    for (const name of names) await apply(stage, stage.manifest({ name, data: { value: name } }));
    for (const name of names) await stage.condition(app, name, 'Ready', { status: 'True' });
    await stage.kubectl('delete', 'encryptedsecret', 'a');
    const namesIn = ({ secrets }: { secrets: { name: string }[] }) => secrets.map(({ name }) => name);
    await eventually(async () => assert.deepEqual(namesIn(await operator.status()), ['b', 'c', 'd']));
    await stage.secretIs(app, 'a', undefined);
    // All at once: kubectl does it one after the other, which on a busy machine is not together.
    await Promise.all(
      ['b', 'c', 'd'].map((name) => stage.client.delete(RESOURCES.encryptedSecrets, { namespace: app, name })),
    );
    let held = '';
    await eventually(async () => {
      const { sources } = await operator.status();
      const [row] = sources.find(({ id }: { id: string }) => id === 'objects').held;
      assert.deepEqual(row?.secrets, [`${app}/b`, `${app}/c`, `${app}/d`]);
      held = row.commit;
    });
    for (const name of ['b', 'c', 'd']) await stage.secretIs(app, name, { value: name });
    assert.equal(await stage.spawn('--confirm', held).exit(), 0);
    for (const name of ['b', 'c', 'd']) await stage.secretIs(app, name, undefined);
  });
});
