import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { sodiumReady } from '../crypto/sodium.ts';
import { openerFor } from '../opening/opener.ts';
import { createGroup, createRecipient } from './create.ts';
import type { SecretKeys } from './key-directory.ts';
import { keyIdOfSeed } from './key-id.ts';
import { keyringFrom } from './keyring.ts';
import { addMember, removeMember } from './membership.ts';
import { activeKey, type Recipient, type RecipientKey } from './recipient.ts';
import { renderRecipient } from './recipient-text.ts';

const CREATED = '2026-11-21T09:00:00Z';
const LATER = '2026-12-01T09:00:00Z';

type Made = ReturnType<typeof createRecipient>;
let alice: Made;
let bob: Made;
let carol: Made;
let team: { recipient: Recipient; seed: Buffer };

before(async () => {
  await sodiumReady();
  const person = (name: string) => createRecipient({ name, type: 'person', created: CREATED });
  [alice, bob, carol] = [person('alice'), person('bob'), person('carol')];
  const members = [sealing(alice), sealing(bob)];
  team = createGroup({ name: 'team', created: CREATED, members, identitySeed: alice.identitySeed });
});

function active(recipient: Recipient): RecipientKey {
  const key = activeKey(recipient);
  assert.ok(key);
  return key;
}

function sealing({ recipient }: { recipient: Recipient }) {
  const { kid, publicKey } = active(recipient);
  return { recipient: recipient.name, kid, publicKey };
}

function secretKeys(...seeds: Buffer[]): SecretKeys {
  const keys = new Map(seeds.map((seed) => [keyIdOfSeed(seed), { kid: keyIdOfSeed(seed), seed }]));
  return { keys, problems: [], wipe: () => undefined };
}

/** What a person sees who holds these seeds and has the keyring with this state of the group. */
function opener(group: Recipient, ...seeds: Buffer[]) {
  const recipients = [alice.recipient, bob.recipient, carol.recipient, group];
  const keyring = keyringFrom(recipients.map((one) => ({ path: one.file, bytes: Buffer.from(renderRecipient(one)) })));
  assert.deepEqual(keyring.problems, []);
  return openerFor(keyring, secretKeys(...seeds));
}

describe('an opener', () => {
  test('is the recipient whose file lists its key, and the groups that this recipient is in', () => {
    const us = opener(team.recipient, bob.seed);
    assert.deepEqual([...us.recipients], ['bob', 'team']);
    assert.deepEqual(us.secretKey('bob', sealing(bob).kid)?.seed, bob.seed);
    assert.deepEqual(us.secretKey('team', active(team.recipient).kid)?.seed, team.seed);
  });

  test('has no key for a recipient that it is not', () => {
    const us = opener(team.recipient, carol.seed);
    assert.deepEqual([...us.recipients], ['carol']);
    assert.equal(us.secretKey('team', active(team.recipient).kid), undefined);
    assert.equal(us.secretKey('alice', sealing(carol).kid), undefined);
  });

  test('has the keys of its own under its own name only', () => {
    const us = opener(team.recipient, alice.seed, bob.seed);
    assert.equal(us.secretKey('alice', sealing(bob).kid), undefined);
    assert.equal(us.secretKey('team', sealing(bob).kid), undefined);
    us.secretKey('team', active(team.recipient).kid);
    assert.equal(us.secretKey('bob', active(team.recipient).kid), undefined);
  });

  test('opens as the name it is given, in the keyring or not', () => {
    const us = openerFor({ recipients: new Map(), problems: [] }, secretKeys(bob.seed), { as: 'production' });
    assert.deepEqual([...us.recipients], ['production']);
    assert.deepEqual(us.secretKey('production', sealing(bob).kid)?.seed, bob.seed);
  });

  test('wipes the seeds of groups that it opened', () => {
    const us = opener(team.recipient, bob.seed);
    const key = us.secretKey('team', active(team.recipient).kid);
    us.wipe();
    assert.deepEqual(key?.seed, Buffer.alloc(32));
    assert.notDeepEqual(bob.seed, Buffer.alloc(32));
  });
});

describe('a group', () => {
  test('who joins gets the active key, and no other key of the group changes', () => {
    const joined = addMember(team.recipient, team.seed, sealing(carol));
    assert.deepEqual(joined.members, ['alice', 'bob', 'carol']);
    const us = opener(joined, carol.seed);
    assert.deepEqual(us.secretKey('team', active(joined).kid)?.seed, team.seed);
    assert.equal(active(joined).kid, active(team.recipient).kid);
  });

  test('who joins late gets no former key', () => {
    const left = removeMember(team.recipient, 'bob', {
      staying: [sealing(alice)],
      identitySeed: alice.identitySeed,
      created: LATER,
      formerKey: 'retired',
    });
    const joined = addMember(left.recipient, left.seed, sealing(carol));
    const us = opener(joined, carol.seed);
    assert.deepEqual(us.secretKey('team', active(joined).kid)?.seed, left.seed);
    assert.equal(us.secretKey('team', active(team.recipient).kid), undefined);
  });

  test('a seed that cannot be sealed to a member is wiped', () => {
    const drawn: Buffer[] = [];
    const random = (length: number) => {
      drawn.push(randomBytes(length));
      return drawn.at(-1) ?? Buffer.alloc(0);
    };
    // The X25519 part of the public key, all zeros: a point of low order.
    const spoilt = { ...sealing(bob), publicKey: Buffer.from(sealing(bob).publicKey).fill(0, 1184) };
    const wanted = { name: 'team', created: LATER, members: [spoilt], identitySeed: alice.identitySeed, random };
    assert.throws(() => createGroup(wanted), { code: 'HPKE_LOW_ORDER' });
    assert.ok(drawn[0]?.equals(Buffer.alloc(32)));
  });

  test('nobody joins twice', () => {
    assert.throws(() => addMember(team.recipient, team.seed, sealing(bob)), { code: 'GROUP_MEMBER_ALREADY' });
  });

  test('who leaves does not get the new key; who stays has it and the former one', () => {
    const { recipient, seed } = removeMember(team.recipient, 'bob', {
      staying: [sealing(alice)],
      identitySeed: alice.identitySeed,
      created: LATER,
      formerKey: 'revoked',
    });
    assert.deepEqual(
      recipient.keys.map(({ status }) => status),
      ['active', 'revoked'],
    );
    assert.deepEqual([...opener(recipient, bob.seed).recipients], ['bob']);
    const us = opener(recipient, alice.seed);
    assert.deepEqual(us.secretKey('team', active(recipient).kid)?.seed, seed);
    assert.deepEqual(us.secretKey('team', active(team.recipient).kid)?.seed, team.seed);
  });

  test('nobody leaves who is not in it', () => {
    const change = { staying: [], identitySeed: alice.identitySeed, created: LATER, formerKey: 'retired' as const };
    assert.throws(() => removeMember(team.recipient, 'carol', change), { code: 'GROUP_MEMBER_UNKNOWN' });
  });

  test('a seed that was sealed for another group key is refused when it is opened', () => {
    const other = createGroup({
      name: 'team',
      created: CREATED,
      members: [sealing(alice), sealing(bob)],
      identitySeed: alice.identitySeed,
    });
    const mixed = active(team.recipient);
    const keys = [{ ...mixed, seeds: active(other.recipient).seeds }];
    const us = opener({ ...team.recipient, keys }, bob.seed);
    assert.throws(() => us.secretKey('team', mixed.kid), { code: 'GROUP_SEED_REFUSED' });
  });
});
