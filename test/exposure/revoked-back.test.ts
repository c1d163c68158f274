import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { Exposures } from '../../operator/exposure/exposures.ts';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import { openGitSource } from '../../operator/source/open-git-source.ts';
import { Site } from '../operator/site.ts';

test('a key that was revoked stays lost whatever the keyring says later, and what says nothing of secrets changes nothing', async (t) => {
  await sodiumReady();
  const site = await Site.open(t);
  const both = [site.production, site.staging];
  const { recipient } = site.staging;
  const ring = (status: 'active' | 'retired' | 'revoked') => {
    const keys = recipient.keys.map((key) => ({ ...key, status }));
    return { [recipient.file]: renderRecipient({ ...recipient, keys }) };
  };
  await site.tree.commit({ 'db.json': site.manifest({ name: 'db', data: { password: 'one' }, to: both }) });
  const state = site.path('exposing');
  const source = await openGitSource({ url: site.tree.directory }, state);
  t.after(() => source.close());
  const log = { info: () => undefined };
  const store = new DirectoryKeyStore(site.path('keys'), 'production');
  t.after(() => store.close());
  const audit = { append: async () => undefined };
  const open = () => {
    const exposures = new Exposures({
      cluster: 'production',
      stateDirectory: state,
      store,
      sources: [source],
      audit,
      log,
    });
    t.after(() => exposures.close());
    return exposures;
  };
  let exposures = open();
  const live = async () => {
    await source.poll(t.signal);
    await exposures.look();
    await exposures.settled();
    const codes = exposures.troubles().map(({ code }) => code);
    return [exposures.status().exposure?.[0]?.live, ...codes];
  };
  assert.deepEqual(await live(), [0]);
  await site.tree.commit(ring('revoked'));
  assert.deepEqual(await live(), [1]);
  await site.tree.commit({ README: 'nothing' });
  assert.deepEqual(await live(), [1]);
  await site.tree.commit(ring('retired'));
  assert.deepEqual(await live(), [1, 'EXPOSURE_REVOKED_BACK']);
  exposures = open();
  assert.deepEqual(await live(), [1, 'EXPOSURE_REVOKED_BACK'], 'by another run too');
  await rm(site.path('exposing', 'exposure'), { recursive: true });
  await site.tree.commit(ring('revoked'));
  exposures = open();
  assert.deepEqual(await live(), [1]);
});
