import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { endorseKey } from '../../../core/keys/create.ts';
import { storeSecretKey } from '../../../core/keys/key-directory.ts';
import { identityText } from '../../../core/keys/key-texts.ts';
import { withNewKey } from '../../../core/keys/new-key.ts';
import { renderRecipient } from '../../../core/keys/recipient-text.ts';
import { KeysStage, look } from '../../../test/rotate/keys-stage.ts';
import { recipientFiles, type TestRecipient, testCluster } from '../../../test/support/secrets.ts';

const LATER = '2026-11-21T09:30:00Z';

/** As somebody who can push could leave the keyring. */
const KEYRINGS: Record<string, (stage: KeysStage) => Promise<void>> = {
  'a key of somebody else, vouched for by a stolen identity': async (stage) => {
    const { key } = stage.anotherKey(LATER);
    await stage.list((recipient) => withNewKey(recipient, key, { formerStatus: 'retired' }));
  },
  'another identity, with its key': async (stage) => {
    await stage.commit({ [stage.production.recipient.file]: renderRecipient(testCluster('production').recipient) });
  },
  'another identity than the pins have, for all names': async (stage) => {
    const pinned = testCluster('production').recipient.identity;
    writeFileSync(join(stage.root, 'pins'), `production ${identityText(pinned)}\n`);
  },
  'our key as that of another cluster too, vouched for by a stolen identity': async (stage) => {
    const { identitySeed } = stage.production;
    const { created = '', publicKey = Buffer.alloc(0) } = stage.listed.keys[0] ?? {};
    const key = endorseKey({ name: 'staging', created, identitySeed, publicKey });
    const file = renderRecipient({ ...stage.listed, name: 'staging', keys: [key] });
    await stage.commit({ '.coffer/recipients/staging.yaml': file });
  },
  'our name as a person': async (stage) => {
    const person = { ...stage.production.recipient, type: 'person' as const };
    await stage.commit({ [stage.production.recipient.file]: renderRecipient(person) });
  },
};

describe('a keyring that holds', () => {
  for (const [what, arrange] of Object.entries(KEYRINGS)) {
    test(`${what}: no key is made at anybody’s wish, nothing is opened, sealed or proposed`, async (t) => {
      const stage = await KeysStage.open(t);
      await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
      const { kid = '' } = stage.listed.keys[0] ?? {};
      await arrange(stage);
      for (const key of new Set([kid, stage.listed.keys[0]?.kid ?? ''])) await stage.ask({ key });
      await look(stage.operator());
      assert.deepEqual(await stage.kids(), [kid]);
      assert.equal(stage.proposal(), undefined);
      const touched = stage.records.filter(({ event }) => event !== 'request.refused');
      assert.deepEqual(touched, []);
    });
  }

  test('a key that is lost: a wish makes no other, which would open nothing and hide the loss', async (t) => {
    const stage = await KeysStage.open(t);
    const [kid = ''] = await stage.kids();
    await stage.store.remove(kid);
    await stage.ask();
    assert.deepEqual(await look(stage.operator()), []);
    assert.deepEqual(await stage.kids(), []);
    await storeSecretKey(join(stage.root, 'keys'), stage.production.seed);
    await look(stage.operator());
    assert.equal((await stage.kids()).length, 2);
  });

  test('somebody’s own key for another cluster: nothing is rewrapped to it, in a rotation neither', async (t) => {
    const stage = await KeysStage.open(t);
    const staging = testCluster('staging');
    const thief = testCluster('staging');
    const both = [stage.production, staging] satisfies TestRecipient[];
    await stage.commit({ ...recipientFiles(staging), 'db.yaml': stage.manifest('db', { password: 'one' }, both) });
    await stage.commit(recipientFiles(thief));
    await stage.ask();
    await look(stage.operator());
    const proposed = JSON.stringify([...(stage.proposal()?.stanzas.values() ?? [])].map((row) => [...row]));
    assert.match(proposed, /"production"/);
    assert.doesNotMatch(proposed, /staging/);
    await stage.collect();
    const kids = Object.keys(stage.stanzasOf('db.yaml'));
    assert.ok(!kids.includes(thief.recipient.keys[0]?.kid ?? ''));
  });

  test('a key active again that it had retired: nothing is sealed to it anew, and a new key is the way out', async (t) => {
    const stage = await KeysStage.open(t);
    const before = stage.listed;
    const { key, seed } = stage.anotherKey(LATER);
    await storeSecretKey(join(stage.root, 'keys'), seed);
    await stage.list((recipient) => withNewKey(recipient, key, { formerStatus: 'retired' }));
    await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
    await look(stage.operator());
    await stage.collect();
    await look(stage.operator());
    await stage.list(() => before);
    assert.deepEqual(await look(stage.operator()), ['ROTATE_KEYRING_BACK']);
    assert.equal(stage.proposal(), undefined);
    await stage.ask();
    assert.deepEqual(await look(stage.operator()), []);
    await stage.collect();
    const [newest] = stage.listed.keys;
    assert.deepEqual(Object.keys(stage.stanzasOf('db.yaml')), [newest?.kid]);
    assert.ok(newest?.kid !== key.kid && newest?.kid !== before.keys[0]?.kid);
  });
});
