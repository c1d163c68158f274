import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { sodiumReady } from '../crypto/sodium.ts';
import { createGroup, createKey, createRecipient } from './create.ts';
import { keyringFrom, RECIPIENTS_FOLDER, readKeyring, recipientOfKey } from './keyring.ts';
import { activeKey, type Recipient } from './recipient.ts';
import { renderRecipient } from './recipient-text.ts';

const CREATED = '2026-11-21T09:00:00Z';

type Made = ReturnType<typeof createRecipient>;
let production: Made;
let alice: Made;

before(async () => {
  await sodiumReady();
  production = createRecipient({ name: 'production', type: 'cluster', created: CREATED });
  alice = createRecipient({ name: 'alice', type: 'person', created: CREATED });
});

function sealing(recipient: Recipient) {
  const key = activeKey(recipient);
  assert.ok(key);
  return { recipient: recipient.name, kid: key.kid, publicKey: key.publicKey };
}

function group(name: string, members: Recipient[]): Recipient {
  return createGroup({ name, created: CREATED, members: members.map(sealing), identitySeed: alice.identitySeed })
    .recipient;
}

const fileOf = (recipient: Recipient) => ({ path: recipient.file, bytes: Buffer.from(renderRecipient(recipient)) });

describe('a keyring', () => {
  test('reads what was rendered, back to the same recipients', () => {
    const team = group('team', [production.recipient, alice.recipient]);
    const rotated: Recipient = { ...production.recipient, rotationEvery: '90d' };
    const { recipients, problems } = keyringFrom([rotated, alice.recipient, team].map(fileOf));
    assert.deepEqual(problems, []);
    assert.deepEqual([...recipients.values()], [rotated, alice.recipient, team]);
  });

  test('writes names that YAML reads as something else in quotes', () => {
    for (const name of ['no', 'y', 'null', '0x1f', '1e3', '2026-01-01', 'on']) {
      const { recipient } = createRecipient({ name, type: 'person', created: CREATED });
      const { recipients, problems } = keyringFrom([recipient, group('team', [recipient])].map(fileOf));
      assert.deepEqual(problems, []);
      assert.deepEqual(recipients.get('team')?.members, [name]);
    }
  });

  test('knows whose a key is, retired ones too', () => {
    const newer = createKey({
      name: 'production',
      created: '2027-01-01T00:00:00Z',
      identitySeed: production.identitySeed,
      random: (length) => Buffer.alloc(length, 9),
    });
    const retired = production.recipient.keys.map((key) => ({ ...key, status: 'retired' as const }));
    const rotated = { ...production.recipient, keys: [newer.key, ...retired] };
    const keyring = keyringFrom([fileOf(rotated), fileOf(alice.recipient)]);
    assert.equal(recipientOfKey(keyring, retired[0]?.kid ?? '')?.name, 'production');
    assert.equal(recipientOfKey(keyring, newer.key.kid)?.name, 'production');
    assert.equal(recipientOfKey(keyring, '0'.repeat(32)), undefined);
  });

  test('a bad file is a problem with its place, and hides no other recipient', () => {
    const bad = fileOf(production.recipient);
    const bytes = Buffer.from(bad.bytes.toString().replace('type: cluster', 'type: machine'));
    const { recipients, problems } = keyringFrom([{ ...bad, bytes }, fileOf(alice.recipient)]);
    assert.deepEqual([...recipients.keys()], ['alice']);
    assert.equal(problems.length, 1);
    assert.equal(problems[0]?.code, 'DOCUMENT_FIELD');
    assert.equal(problems[0]?.data.file, '.coffer/recipients/production.yaml');
    assert.equal(problems[0]?.data.line, 6);
  });

  test('a key that two recipients list belongs to neither', () => {
    const thief = createRecipient({ name: 'thief', type: 'person', created: CREATED });
    const [stolen] = production.recipient.keys;
    assert.ok(stolen);
    const { key } = createKey({
      name: 'thief',
      created: CREATED,
      identitySeed: thief.identitySeed,
      random: () => Buffer.from(production.seed),
    });
    const { recipients, problems } = keyringFrom([
      fileOf(production.recipient),
      fileOf({ ...thief.recipient, keys: [key] }),
      fileOf(alice.recipient),
    ]);
    assert.equal(key.kid, stolen.kid);
    assert.deepEqual([...recipients.keys()], ['alice']);
    assert.deepEqual(
      problems.map(({ code, data }) => [code, data.recipient]),
      [
        ['RECIPIENT_KEY_SHARED', 'production'],
        ['RECIPIENT_KEY_SHARED', 'thief'],
      ],
    );
  });

  test('groups do not nest', () => {
    const inner = group('inner', [alice.recipient]);
    const outer = group('outer', [inner, production.recipient]);
    const { recipients, problems } = keyringFrom([inner, outer, alice.recipient].map(fileOf));
    assert.deepEqual([...recipients.keys()], ['inner', 'alice']);
    assert.deepEqual(
      problems.map(({ code, data }) => [code, data.recipient]),
      [['RECIPIENT_GROUP_NESTED', 'outer']],
    );
  });

  test('is read from a working tree, other files beside recipients left alone', async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'coffer-keyring-'));
    t.after(() => rm(root, { recursive: true }));
    assert.deepEqual((await readKeyring(root)).recipients, new Map());
    await mkdir(join(root, RECIPIENTS_FOLDER), { recursive: true });
    await writeFile(join(root, alice.recipient.file), renderRecipient(alice.recipient));
    await writeFile(join(root, RECIPIENTS_FOLDER, 'README.md'), 'who is who');
    const { recipients, problems } = await readKeyring(root);
    assert.deepEqual([...recipients.keys()], ['alice']);
    assert.deepEqual(problems, []);
  });
});
