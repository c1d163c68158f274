import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { testCluster, testGroup } from '../../../test/support/secrets.ts';
import { groupsKnownTo } from './known-groups.ts';

before(sodiumReady);

/** Months of 2026 in which keys were made, newest first; a key's id is its month. */
function made({ keys, ...rest }: Recipient, ...months: string[]): Recipient {
  const [key] = keys;
  if (key === undefined) throw new Error('a recipient without a key');
  const madeIn = (month: string, index: number) =>
    ({
      ...key,
      kid: month,
      created: `2026-${month}-01T00:00:00Z`,
      status: index === 0 ? 'active' : 'retired',
    }) as const;
  return { ...rest, keys: months.map(madeIn) };
}

test('a group’s key is known to who has the key that its member had when it was made, or while it is in use', () => {
  const [ada, other] = [testCluster('ada'), testCluster('other')];
  const member = made(ada.recipient, '07', '03', '01');
  for (const [group, kids, isKnown] of [
    [['05'], ['03'], true],
    [['05'], ['07'], true],
    [['05'], ['01'], false],
    [['08'], ['03', '01'], false],
    [['08'], ['07'], true],
    [['08', '05'], ['03'], false],
    [['07'], ['03'], true],
    [['05'], [], false],
  ] as const) {
    const team = made(testGroup('team', other, [ada, other]).recipient, ...group);
    const others = made(testGroup('others', other, [other]).recipient, ...group);
    const keyring = { recipients: new Map([team, others].map((one) => [one.name, one])), problems: [] };
    assert.deepEqual(groupsKnownTo(keyring, member, kids), isKnown ? ['team'] : [], `${group}: ${kids}`);
  }
});
