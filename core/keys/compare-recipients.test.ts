import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { systemRandom } from '../crypto/random.ts';
import { sodiumReady } from '../crypto/sodium.ts';
import { compareRecipients } from './compare-recipients.ts';
import { createKey, createRecipient } from './create.ts';
import type { KeyStatus, Recipient } from './recipient.ts';

const CREATED = '2026-11-21T09:00:00Z';

let ada: Recipient;
let rotated: Recipient;
let impostor: Recipient;
let oldKey: string;
let newKey: string;

before(async () => {
  await sodiumReady();
  const made = createRecipient({ name: 'ada', type: 'person', created: CREATED });
  ada = made.recipient;
  const { key } = createKey({
    name: 'ada',
    created: '2027-01-01T00:00:00Z',
    identitySeed: made.identitySeed,
    random: systemRandom,
  });
  rotated = { ...ada, keys: [key, ...withStatus(ada, 'retired').keys] };
  impostor = createRecipient({ name: 'ada', type: 'person', created: CREATED }).recipient;
  oldKey = ada.keys[0]?.kid ?? '';
  newKey = key.kid;
});

function withStatus(recipient: Recipient, status: KeyStatus): Recipient {
  return { ...recipient, keys: recipient.keys.map((key) => ({ ...key, status })) };
}

const rows = (one: Recipient | undefined, other: Recipient | undefined) =>
  compareRecipients(one, other).map(({ what, subject, change, warning }) =>
    [what, subject, change, ...(warning === undefined ? [] : ['warning'])].filter((word) => word !== '').join(' '),
  );

describe('what changed of a recipient', () => {
  test('is nothing between equal ones, and all of a new one', () => {
    assert.deepEqual(rows(ada, { ...ada }), []);
    assert.deepEqual(rows(undefined, ada), ['recipient added', 'type added', 'identity added', `key ${oldKey} added`]);
    assert.deepEqual(rows(ada, undefined), ['recipient removed']);
  });

  test('is, after a rotation, the new key and the retired one', () => {
    assert.deepEqual(rows(ada, rotated), [`key ${oldKey} changed`, `key ${newKey} added`]);
    const [change] = compareRecipients(ada, withStatus(ada, 'revoked'));
    assert.deepEqual(change?.detail, { before: 'active', after: 'revoked' });
    assert.equal(change?.recipient, 'ada');
  });

  test('warns of another identity, of a key that is gone, and of a status that went back', () => {
    const [identity] = rows(ada, impostor);
    assert.equal(identity, 'identity changed warning');
    assert.deepEqual(rows(rotated, ada), [`key ${newKey} removed warning`, `key ${oldKey} changed warning`]);
    assert.deepEqual(rows(withStatus(ada, 'revoked'), withStatus(ada, 'retired')), [`key ${oldKey} changed warning`]);
  });

  test('names who joined and left a group, and for whom its seed was sealed again', () => {
    const group = (...members: [string, string][]): Recipient => ({
      ...ada,
      type: 'group',
      members: members.map(([name]) => name),
      keys: ada.keys.map((key) => ({
        ...key,
        seeds: new Map(members.map(([name, kid]) => [name, { kid, text: `${kid}:sealed` }])),
      })),
    });
    assert.deepEqual(rows(group(['bob', '1'], ['eve', '2']), group(['bob', '3'], ['dan', '4'])), [
      'member eve removed',
      'member dan added',
      'seed bob changed',
    ]);
  });
});
