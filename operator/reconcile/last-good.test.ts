import assert from 'node:assert/strict';
import { rename, rm, symlink } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { Stage, secretOf } from '../../test/operator/stage.ts';
import { recipientFiles, sealedManifest, testCluster, testGroup } from '../../test/support/secrets.ts';

/** Promise 1: what fails at any step changes nothing that is projected, holds nothing back, and is seen. */

const db = { namespace: 'payments', name: 'db' };
const mail = { namespace: 'payments', name: 'mail' };

/** A byte of a value's ciphertext becomes another. */
function flip(manifest: string): string {
  return manifest.replace(
    /(CF\[1:[^:]{32}:.{40})(.)/,
    (_, head: string, byte: string) => head + (byte === 'A' ? 'B' : 'A'),
  );
}

const BROKEN: Record<string, { broken: (good: string) => string; code: string }> = {
  'a flipped byte': { broken: flip, code: 'TRUST_OLD_DATA_KEY' },
  'a truncated file': { broken: (good) => good.slice(0, 200), code: 'FILE_SYNTAX' },
  'conflict markers': { broken: (good) => `<<<<<<< HEAD\n${good}=======\n>>>>>>> x\n`, code: 'FILE_CONFLICT_MARKERS' },
  plaintext: { broken: (good) => good.replace(/"CF\[[^"]*"/, '"hunter2"'), code: 'MANIFEST_PLAINTEXT' },
  'a value of another name': {
    broken: (good) =>
      good.replace('"name": "db"', '"name": "db", "labels": {}').replace(/"scope": "strict"/, '"scope": "namespace"'),
    code: 'STANZA_REFUSED',
  },
};

describe('the last good one stays', () => {
  for (const [what, { broken, code }] of Object.entries(BROKEN)) {
    test(`when its manifest gets ${what}, while others go on; after a reboot as well`, async (t) => {
      const stage = await Stage.open(t);
      const good = stage.manifest({ ...db, data: { password: 'good' } });
      const first = await stage.tree.commit({
        'db.yaml': good,
        'mail.yaml': stage.manifest({ ...mail, data: { key: 'one' } }),
      });
      let run = await stage.run();
      await run.poll();

      const second = await stage.tree.commit({
        'db.yaml': broken(good),
        'mail.yaml': stage.manifest({ ...mail, data: { key: 'two' } }),
      });
      await run.poll();
      const expectLastGood = async (): Promise<void> => {
        assert.equal(await stage.read('payments/api', 'db', 'password'), 'good');
        assert.equal(await stage.read('payments/api', 'mail', 'key'), 'two');
        const status = secretOf(run, 'payments/db');
        assert.equal(status?.state, 'failed');
        assert.equal(status?.trouble?.code, code);
        assert.equal(status?.trouble?.data.file, 'db.yaml');
        assert.equal(status?.commit, first);
        assert.equal(status?.since, second);
        assert.equal(secretOf(run, 'payments/mail')?.state, 'ready');
      };
      await expectLastGood();

      await run.close();
      await stage.forgetProjections();
      run = await stage.run();
      await expectLastGood();

      await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { password: 'mended' } }) });
      await run.poll();
      assert.equal(await stage.read('payments/api', 'db', 'password'), 'mended');
      assert.equal(secretOf(run, 'payments/db')?.state, 'ready');
    });
  }

  test('when a symbolic link takes the place of its manifest: links are reported and not followed', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { password: 'good' } }) });
    const run = await stage.run();
    await run.poll();
    await rename(stage.path('repository', 'db.yaml'), stage.path('repository', 'elsewhere.txt'));
    await symlink('elsewhere.txt', stage.path('repository', 'db.yaml'));
    await stage.tree.commit({});
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), 'good');
    const { problems } = run.reconciler.status().sources[0] ?? {};
    assert.deepEqual(
      problems?.map(({ code, data }) => [code, data.file]),
      [['MANIFEST_SYMLINK', 'db.yaml']],
    );
  });

  test('when the repository is gone, also after a reboot', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { password: 'good' } }) });
    let run = await stage.run();
    await run.poll();
    await run.close();
    await stage.forgetProjections();
    await rm(stage.tree.directory, { recursive: true });
    run = await stage.run();
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), 'good');
    assert.equal(run.reconciler.status().sources[0]?.trouble?.code, 'SOURCE_MISSING');
  });

  test('when the file of its group is broken; when the group is gone, so is the secret', async (t) => {
    const stage = await Stage.open(t);
    const group = testGroup('eu', stage.cluster, [stage.cluster]);
    const files = recipientFiles(stage.cluster, group);
    const ofGroup = sealedManifest({ ...db, to: [group], data: { password: 'ours' } });
    await stage.tree.commit({ ...files, 'db.yaml': ofGroup });
    const run = await stage.run();
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), 'ours');

    await stage.tree.commit({ [group.recipient.file]: 'apiVersion: coffer.dev/v1\nkind: Recipient\n' });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), 'ours');
    assert.equal(run.reconciler.status().sources[0]?.problems[0]?.data.file, group.recipient.file);

    await stage.tree.commit({ [group.recipient.file]: null });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), undefined);
  });
});

describe('what is sealed to others', () => {
  test('is not opened; a keyring that makes the cluster a member of the group brings it', async (t) => {
    const stage = await Stage.open(t);
    const other = testCluster('staging');
    const group = testGroup('eu', other, [other]);
    await stage.tree.commit({
      ...recipientFiles(stage.cluster, other, group),
      'db.yaml': sealedManifest({ ...db, to: [group], data: { password: 'theirs' } }),
      // The same name for another cluster is no second owner.
      'staging/db.yaml': sealedManifest({ ...db, to: [other], data: { password: 'staging' } }),
    });
    const run = await stage.run();
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), undefined);
    assert.deepEqual(run.reconciler.status().secrets, []);

    const wider = testGroup('eu', other, [other, stage.cluster]);
    const sealed = sealedManifest({ ...mail, to: [wider], data: { key: 'shared' } });
    await stage.tree.commit({ ...recipientFiles(wider), 'mail.yaml': sealed, 'db.yaml': null });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'mail', 'key'), 'shared');
  });

  test('an ignore glob takes manifests out, and its removal brings them back', async (t) => {
    const stage = await Stage.open(t);
    const config = (ignore: string) =>
      `apiVersion: coffer.dev/v1\nkind: Config\nmetadata: {name: coffer}\nspec:\n  repository: AAAAAAAAAAAAAAAAAAAAAA\n  ignore: [${ignore}]\n`;
    await stage.tree.commit({
      '.coffer/config.yaml': config(''),
      'db.yaml': stage.manifest({ ...db, data: { password: 'seen' } }),
      'mail.yaml': stage.manifest({ ...mail, data: { key: 'seen' } }),
    });
    const run = await stage.run();
    await run.poll();
    await stage.tree.commit({ '.coffer/config.yaml': config('"db.*"') });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), undefined);
    await stage.tree.commit({ '.coffer/config.yaml': config('') });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), 'seen');
  });
});
