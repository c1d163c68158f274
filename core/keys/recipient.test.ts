import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { sodiumReady } from '../crypto/sodium.ts';
import { createGroup, createRecipient } from './create.ts';
import { endorse } from './endorsement.ts';
import { identityText } from './key-texts.ts';
import { activeKey, type Recipient, type RecipientKey, readRecipient } from './recipient.ts';
import { renderRecipient } from './recipient-text.ts';

const CREATED = '2026-11-21T09:00:00Z';

let made: ReturnType<typeof createRecipient>;
let other: ReturnType<typeof createRecipient>;
let key: RecipientKey;
let group: Recipient;

before(async () => {
  await sodiumReady();
  made = createRecipient({ name: 'production', type: 'cluster', created: CREATED });
  other = createRecipient({ name: 'production', type: 'cluster', created: CREATED });
  const active = activeKey(made.recipient);
  assert.ok(active);
  key = active;
  const member = { recipient: 'production', kid: key.kid, publicKey: key.publicKey };
  group = createGroup({ name: 'team', created: CREATED, members: [member], identitySeed: made.identitySeed }).recipient;
});

const read = (recipient: Recipient, change = (text: string) => text) =>
  readRecipient(Buffer.from(change(renderRecipient(recipient))), recipient.file);

const withKeys = (...keys: RecipientKey[]): Recipient => ({ ...made.recipient, keys });

/** Endorsed anew for what was changed. */
const endorsed = (changed: RecipientKey): RecipientKey => ({
  ...changed,
  endorsement: endorse(made.identitySeed, 'production', changed.kid, changed.created),
});

describe('a file of the keyring', () => {
  const refusals: [promise: string, code: string, attempt: () => unknown][] = [
    [
      'a key that the identity did not endorse',
      'RECIPIENT_ENDORSEMENT',
      () => read({ ...made.recipient, identity: other.recipient.identity }),
    ],
    [
      'a key endorsed for another time',
      'RECIPIENT_ENDORSEMENT',
      () => read(withKeys({ ...key, created: '2026-11-21T09:00:01Z' })),
    ],
    [
      'a key endorsed for another name',
      'RECIPIENT_ENDORSEMENT',
      () => read({ ...made.recipient, name: 'staging', file: '.coffer/recipients/staging.yaml' }),
    ],
    ['a swapped public key', 'RECIPIENT_KEY_ID', () => read(withKeys({ ...key, publicKey: publicKeyOf(other) }))],
    ['two active keys', 'RECIPIENT_TWO_ACTIVE', () => read(withKeys(key, endorsed(keyOf(other))))],
    [
      'an older key above a newer one',
      'RECIPIENT_KEY_ORDER',
      () => {
        const older = endorsed({ ...keyOf(other), status: 'retired', created: '2026-11-20T09:00:00Z' });
        return read(withKeys(key, older), (text) =>
          text.replace(/(?<newer> {4}- id: .*?)(?<older> {4}- id: .*)/s, '$2$1'),
        );
      },
    ],
    ...(['retired', 'revoked'] as const).map((status): [string, string, () => unknown] => [
      `an old key made active again, the newer one ${status}`,
      'RECIPIENT_STATUS_BACK',
      () => read(withKeys(endorsed({ ...keyOf(other), status, created: '2026-11-22T09:00:00Z' }), key)),
    ]),
    ['one key twice', 'RECIPIENT_KEY_TWICE', () => read(withKeys(key, { ...key, status: 'revoked' }))],
    [
      'a time that is none',
      'RECIPIENT_CREATED',
      () => read(withKeys(endorsed({ ...key, created: '2026-02-31T09:00:00Z' }))),
    ],
    [
      'a file that is named otherwise',
      'RECIPIENT_FILE_NAME',
      () => read({ ...made.recipient, file: '.coffer/recipients/staging.yaml' }),
    ],
    [
      'a file that is not .yaml',
      'RECIPIENT_FILE_NAME',
      () => read({ ...made.recipient, file: '.coffer/recipients/production.yml' }),
    ],
    ['two recipients in a file', 'RECIPIENT_FILE', () => read(made.recipient, (text) => `${text}---\n${text}`)],
    ['no recipient in a file', 'RECIPIENT_FILE', () => read(made.recipient, () => 'a: b\n')],
    [
      'a mistyped identity',
      'KEY_TEXT_MISTYPED',
      () => read(made.recipient, (text) => text.replace(identityText(made.recipient.identity), (id) => `${id}A`)),
    ],
    [
      'an unknown field',
      'DOCUMENT_FIELD',
      () => read(made.recipient, (text) => text.replace('spec:', 'spec:\n  owner: me')),
    ],
    ['members of what is no group', 'RECIPIENT_NOT_GROUP', () => read({ ...made.recipient, members: ['alice'] })],
    ['seeds of what is no group', 'RECIPIENT_NOT_GROUP', () => read(withKeys({ ...key, seeds: seedsOfGroup() }))],
    ['a group without members', 'RECIPIENT_GROUP', () => read({ ...group, members: [] })],
    ['a group in itself', 'RECIPIENT_GROUP', () => read({ ...group, members: ['production', 'team'] })],
    ["a row of a group's seed for a stranger", 'RECIPIENT_GROUP', () => read({ ...group, members: ['alice'] })],
    [
      'an active group key without seeds',
      'RECIPIENT_GROUP',
      () => read({ ...group, keys: group.keys.map((groupKey) => ({ ...groupKey, seeds: new Map() })) }),
    ],
    [
      'a row that is not well-formed',
      'STANZA_MALFORMED',
      () => read(group, (text) => text.replace(/(production: "[0-9a-f]{32}:.{100})./, '$1+')),
    ],
  ];

  function keyOf({ recipient }: typeof made): RecipientKey {
    const [first] = recipient.keys;
    assert.ok(first);
    return first;
  }

  function publicKeyOf(of: typeof made): Buffer {
    return keyOf(of).publicKey;
  }

  function seedsOfGroup() {
    return group.keys[0]?.seeds ?? new Map();
  }

  for (const [promise, code, attempt] of refusals) {
    test(`is refused for ${promise}`, () => assert.throws(attempt, { code }));
  }

  test('is read when it has no active key: what was sealed still opens', () => {
    const recipient = withKeys({ ...key, status: 'retired' });
    assert.deepEqual(read(recipient), recipient);
    assert.equal(activeKey(read(recipient)), undefined);
  });

  test('is read when nobody is left who had a former key of the group', () => {
    const left = {
      ...group,
      keys: group.keys.map((one) => ({ ...one, status: 'revoked' as const, seeds: new Map() })),
    };
    assert.deepEqual(read(left), left);
  });

  test('is read when it has no keys yet', () => assert.deepEqual(read(withKeys()), withKeys()));

  test('an error names the line, the recipient and the key', () => {
    assert.throws(() => read(withKeys({ ...key, created: '2026-11-21T09:00:01Z' })), {
      data: { file: '.coffer/recipients/production.yaml', line: 9, column: 7, recipient: 'production', keyId: key.kid },
    });
  });

  test('newer keys are written first', () => {
    const older = { ...endorsed({ ...keyOf(other), created: '2025-01-01T00:00:00Z' }), status: 'retired' as const };
    assert.deepEqual(
      read(withKeys(older, key)).keys.map(({ kid }) => kid),
      [key.kid, older.kid],
    );
  });
});
