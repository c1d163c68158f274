import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditRecord } from '../../core/audit/record.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { ComparisonBudget } from '../../operator/exposure/comparison-budget.ts';
import { Exposures } from '../../operator/exposure/exposures.ts';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import { openGitSource } from '../../operator/source/open-git-source.ts';
import { Site } from '../operator/site.ts';

test('whoever seals guesses over an exposed value is told of few a day, under other names too, and people are told', async (t) => {
  await sodiumReady();
  const site = await Site.open(t);
  const { recipient } = site.staging;
  const keys = recipient.keys.map((key) => ({ ...key, status: 'revoked' as const }));
  const secret = (data: Record<string, string>, to = [site.production]) =>
    site.tree.commit({ 'db.json': site.manifest({ name: 'db', data, to }) });
  await secret({ pin: '4711' }, [site.production, site.staging]);

  const source = await openGitSource({ url: site.tree.directory }, site.path('exposing'));
  t.after(() => source.close());
  const store = new DirectoryKeyStore(site.path('keys'), 'production');
  t.after(() => store.close());
  const records: AuditRecord[] = [];
  let now = 0;
  const exposures = new Exposures({
    ...{ cluster: 'production', stateDirectory: site.path('exposing'), store, sources: [source] },
    ...{ audit: { append: async (more) => void records.push(...more) }, log: { info: () => undefined } },
    budget: new ComparisonBudget(2, () => now),
  });
  t.after(() => exposures.close());
  const looked = async () => {
    await source.poll(t.signal);
    await exposures.look();
    await exposures.settled();
    const told = records.filter(({ event }) => event === 'value.compared').map(({ outcome }) => outcome);
    return [told.length, exposures.status().exposure?.[0]?.resealed, ...exposures.troubles().map(({ code }) => code)];
  };
  assert.deepEqual(await looked(), [0, 0]);
  await site.tree.commit({ [recipient.file]: renderRecipient({ ...recipient, keys }) });
  await secret({ pin: '0000' });
  assert.deepEqual(await looked(), [1, 0]);
  await secret({ code: '0001' });
  assert.deepEqual(await looked(), [2, 0]);
  await secret({ pin: '0002' });
  assert.deepEqual(await looked(), [2, 1, 'EXPOSURE_COMPARED_OFTEN']);
  assert.deepEqual(
    exposures.hangingOn(site.production.recipient.keys[0]?.kid ?? '').length,
    1,
    'its key is still needed',
  );
  now = 86_400_000;
  assert.deepEqual(await looked(), [3, 0]);
});
