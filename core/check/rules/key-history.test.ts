import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { systemRandom } from '../../crypto/random.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { createKey, createRecipient } from '../../keys/create.ts';
import { keyringFrom } from '../../keys/keyring.ts';
import type { KeyStatus, Recipient, RecipientKey } from '../../keys/recipient.ts';
import { renderRecipient } from '../../keys/recipient-text.ts';
import { keyHistoryFindings } from './key-history.ts';

let recipient: Recipient;
let impostor: Recipient;
let first: RecipientKey;
let second: RecipientKey;

before(async () => {
  await sodiumReady();
  const wanted = { name: 'production', type: 'cluster', created: '2026-01-01T00:00:00Z' } as const;
  const made = createRecipient(wanted);
  recipient = made.recipient;
  impostor = createRecipient(wanted).recipient;
  const [key] = recipient.keys;
  assert.ok(key);
  first = key;
  const { identitySeed } = made;
  second = createKey({ name: 'production', created: '2026-02-01T00:00:00Z', identitySeed, random: systemRandom }).key;
});

const withKeys = (...keys: RecipientKey[]): Recipient => ({ ...recipient, keys });
const as = (key: RecipientKey, status: KeyStatus): RecipientKey => ({ ...key, status });
const fileOf = (one: Recipient) => ({ path: one.file, bytes: Buffer.from(renderRecipient(one)) });

function rulesOf(now: Recipient, ...earlier: Recipient[]): [rule: string, kid: string | undefined][] {
  const { recipients, problems } = keyringFrom([fileOf(now)]);
  assert.deepEqual(problems, []);
  return keyHistoryFindings({ recipients, problems }, earlier.map(fileOf)).map(({ rule, data }) => [rule, data.keyId]);
}

describe('what became of keys', () => {
  test('a rotation and its end are nothing to report', () => {
    const start = withKeys(first);
    const rotated = withKeys(second, as(first, 'retired'));
    const ended = withKeys(second, as(first, 'revoked'));
    assert.deepEqual(rulesOf(ended, start, rotated, ended), []);
  });

  test('a newer key that is left out, so that an older one is active, is an error, in whichever version it stood', () => {
    const rotated = withKeys(second, as(first, 'retired'));
    for (const earlier of [[rotated], [rotated, withKeys(first)], [withKeys(first), rotated]]) {
      const found = rulesOf(withKeys(first), ...earlier);
      assert.ok(found.some(([rule, kid]) => rule === 'CHECK_KEY_ROLLED_BACK' && kid === second.kid));
    }
  });

  test('a status that went back is an error', () => {
    for (const [before, now] of [
      ['retired', 'active'],
      ['revoked', 'active'],
      ['revoked', 'retired'],
    ] as const) {
      assert.deepEqual(rulesOf(withKeys(as(first, now)), withKeys(as(first, before)), withKeys(first)), [
        ['CHECK_KEY_STATUS_BACK', first.kid],
      ]);
    }
  });

  test('an old key that is left out is told', () => {
    assert.deepEqual(rulesOf(withKeys(second), withKeys(second, as(first, 'revoked'))), [
      ['CHECK_KEY_GONE', first.kid],
    ]);
  });

  test('another identity, and a version that is not valid, are not compared', () => {
    assert.deepEqual(rulesOf(impostor, withKeys(first)), []);
    const { recipients, problems } = keyringFrom([fileOf(withKeys(first))]);
    const broken = { path: recipient.file, bytes: Buffer.from('apiVersion: coffer.dev/v1\n') };
    assert.deepEqual(keyHistoryFindings({ recipients, problems }, [broken]), []);
  });
});
