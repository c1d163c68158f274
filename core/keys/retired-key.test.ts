import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { sodiumReady } from '../crypto/sodium.ts';
import { createRecipient } from './create.ts';
import { openRetiredSeed, sealRetiredSeed } from './retired-key.ts';

const created = '2026-11-21T09:00:00Z';

describe('the seed of a retired key', () => {
  before(() => sodiumReady());

  const made = (name: string, type: 'cluster' | 'recovery') => {
    const { recipient, seed } = createRecipient({ name, type, created });
    const [key] = recipient.keys;
    assert.ok(key);
    return { recipient: name, kid: key.kid, publicKey: key.publicKey, seed };
  };

  test('opens for the recovery key alone, as that key of that recipient', () => {
    const [retired, recovery, other] = [
      made('production', 'cluster'),
      made('vault', 'recovery'),
      made('x', 'recovery'),
    ];
    const text = sealRetiredSeed(retired.seed, retired, recovery);
    assert.deepEqual(openRetiredSeed(text, retired, recovery), retired.seed);
    const refused: [code: string, attempt: () => unknown][] = [
      ['STANZA_OTHER_KEY', () => openRetiredSeed(text, retired, other)],
      ['RETIRED_SEED_REFUSED', () => openRetiredSeed(text, { ...retired, recipient: 'staging' }, recovery)],
      ['RETIRED_SEED_REFUSED', () => openRetiredSeed(text, { ...retired, kid: other.kid }, recovery)],
      ['RETIRED_SEED_REFUSED', () => openRetiredSeed(text, retired, { ...recovery, recipient: 'x' })],
      ['RETIRED_SEED_WRONG', () => openRetiredSeed(sealRetiredSeed(other.seed, retired, recovery), retired, recovery)],
    ];
    for (const [code, attempt] of refused) assert.throws(attempt, { code });
  });
});
