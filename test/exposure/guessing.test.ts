import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AuditLog } from '../../core/audit/log.ts';
import type { AnyRecord } from '../../core/audit/record.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { ComparisonBudget } from '../../operator/exposure/comparison-budget.ts';
import { Exposures } from '../../operator/exposure/exposures.ts';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import { openGitSource } from '../../operator/source/open-git-source.ts';
import { Site } from '../operator/site.ts';

/** A value that was sealed to two clusters, of which one is lost then; what looks at it compares two values a day. */
async function exposed(t: TestContext) {
  await sodiumReady();
  const site = await Site.open(t);
  const { recipient } = site.staging;
  const keys = recipient.keys.map((key) => ({ ...key, status: 'revoked' as const }));
  const both = [site.production, site.staging];
  const secret = (data: Record<string, string>, to = [site.production]) =>
    site.tree.commit({ 'db.json': site.manifest({ name: 'db', data, to }) });
  await secret({ pin: '4711' }, both);

  const source = await openGitSource({ url: site.tree.directory }, site.path('exposing'));
  t.after(() => source.close());
  const store = new DirectoryKeyStore(site.path('keys'), 'production');
  t.after(() => store.close());
  const records: AnyRecord[] = [];
  const clock = { now: 0 };
  /** A record of such an event cannot be written. */
  const log: { refuses?: AnyRecord['event'] | undefined } = {};
  const append: AuditLog['append'] = async (more) => {
    if (more.some(({ event }) => event === log.refuses)) throw auditFull();
    records.push(...more);
  };
  const exposures = new Exposures({
    ...{ cluster: 'production', stateDirectory: site.path('exposing'), store, sources: [source] },
    ...{ audit: { append }, log: { info: () => undefined } },
    budget: new ComparisonBudget(2, () => clock.now),
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
  const { kid = '' } = site.production.recipient.keys[0] ?? {};
  return { secret, both, looked, log, clock, hanging: () => exposures.hangingOn(kid).length };
}

test('whoever seals guesses over an exposed value is told of few a day, under other names too, and people are told', async (t) => {
  const { secret, looked, clock, hanging } = await exposed(t);
  await secret({ pin: '0000' });
  assert.deepEqual(await looked(), [1, 0]);
  await secret({ code: '0001' });
  assert.deepEqual(await looked(), [2, 0]);
  await secret({ pin: '0002' });
  assert.deepEqual(await looked(), [2, 1, 'EXPOSURE_COMPARED_OFTEN']);
  assert.equal(hanging(), 1, 'its key is still needed');
  clock.now = 86_400_000;
  assert.deepEqual(await looked(), [3, 0]);
});

test('an entry and what keeps its former value share one day', async (t) => {
  const { secret, both, looked } = await exposed(t);
  await secret({ pin: '0000' });
  assert.deepEqual(await looked(), [1, 0]);
  await secret({ pin: '0001' });
  assert.deepEqual(await looked(), [2, 0]);
  await secret({ pin: '0002', 'pin.previous': '4711' }, both);
  assert.deepEqual(await looked(), [2, 0, 'EXPOSURE_COMPARED_OFTEN']);
});

for (const event of ['secret.intent', 'value.compared'] as const) {
  test(`while no ${event} can be recorded, no day is used up by trying the same value again`, async (t) => {
    const { secret, looked, log } = await exposed(t);
    await secret({ pin: '0000' });
    log.refuses = event;
    for (let looks = 0; looks < 3; looks++) assert.deepEqual(await looked(), [0, 1, 'AUDIT_FULL']);
    log.refuses = undefined;
    assert.deepEqual(await looked(), [1, 0]);
    await secret({ pin: '0001' });
    assert.deepEqual(await looked(), [2, 0]);
    await secret({ pin: '0002' });
    assert.deepEqual(await looked(), [2, 1, 'EXPOSURE_COMPARED_OFTEN']);
  });
}

function auditFull(): CofferError {
  return new CofferError('AUDIT_FULL', 'the disk is full', { advice: '', loop: 'retry' });
}
