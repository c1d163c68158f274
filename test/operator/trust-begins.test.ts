import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openGitSource } from '../../operator/source/open-git-source.ts';
import type { Source } from '../../operator/source/source.ts';
import { TrustSite } from './trust-site.ts';
import { code, commitOf } from './watching.ts';

describe('what was taken while nobody had to sign', () => {
  test('is where trust begins only if the configuration, or a person, says so', async (t) => {
    const host = await TrustSite.open(t, { people: ['ada'] });
    const unsigned = await host.commit(undefined, { 'db.yaml': host.manifest('db', 'one') });
    const opened = async (trust: object): Promise<Source> => {
      const policy = host.site.path('policy.yaml');
      const config = { url: host.site.tree.directory, trust: { mode: 'strict' as const, policy, ...trust } };
      const source = await openGitSource(config, host.site.path('state'));
      t.after(() => source.close());
      return source;
    };
    assert.equal(await commitOf(await opened({ mode: 'off' })), unsigned);
    const doubting = await opened({});
    for (let look = 0; look < 2; look++) await assert.rejects(commitOf(doubting), code('SOURCE_FIRST_COMMIT'));
    assert.deepEqual([(await doubting.accepted())?.commit, doubting.isSettled], [unsigned, true]);
    const signed = await host.commit('ada', { 'db.yaml': host.manifest('db', 'two') });
    await assert.rejects(commitOf(doubting), code('SOURCE_FIRST_COMMIT'));
    const named = await opened({ firstCommit: unsigned });
    assert.equal(await commitOf(named), signed);
    const accepted = await named.accepted();
    assert.deepEqual([accepted?.basis, accepted?.returns, accepted?.held], ['signed', [], []]);
    assert.equal(await commitOf(await opened({})), 'unchanged');
  });

  test('does not let in for good what was held back before', async (t) => {
    const host = await TrustSite.open(t, { people: ['ada'] });
    const good = host.manifest('db', 'one');
    const first = await host.commit('ada', { 'db.yaml': good });
    await host.commit(undefined, { 'db.yaml': host.manifest('db', 'two') });
    const trust = { mode: 'strict', perPath: true, policy: host.site.path('policy.yaml'), firstCommit: first } as const;
    const look = async (mode: 'off' | 'strict') => {
      const config = { url: host.site.tree.directory, trust: { ...trust, mode } };
      const source = await openGitSource(config, host.site.path('state'));
      await commitOf(source);
      const entry = await source.repository.entryAt((await source.accepted())?.tree ?? '', 'db.yaml');
      const text = String(await source.repository.readBlob(entry?.oid ?? ''));
      await source.close();
      return text === good;
    };
    assert.deepEqual([await look('strict'), await look('off'), await look('strict')], [true, false, true]);
  });
});
