import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { systemRandom } from '../../core/crypto/random.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { createKey } from '../../core/keys/create.ts';
import { readIdentity } from '../../core/keys/key-directory.ts';
import { readRecipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { Desk } from '../../test/cli/desk.ts';
import { atTerminal, terminalOrSkip } from '../../test/cli/terminal.ts';

const FILE = '.coffer/recipients/production.yaml';
const desk = new Desk();
after(() => desk.remove());

/** The recipient's file before a rotation, which is also what a thief of the old key would push, and after it. */
let old: string;
let rotated: string;

before(async () => {
  await sodiumReady();
  desk.coffer(['init']);
  desk.coffer(['recipients', 'create', 'production', '--type', 'cluster']);
  desk.coffer(['new', 'team/db', '--recipient', 'production', '-o', 'db.yaml']);
  old = desk.read(FILE);
  const recipient = readRecipient(Buffer.from(old), FILE);
  const identitySeed = await readIdentity(desk.keys, 'production');
  const newKey = (created: string) =>
    createKey({ name: 'production', created, identitySeed, random: systemRandom }).key;
  const retired = recipient.keys.map((key) => ({ ...key, status: 'retired' as const }));
  rotated = renderRecipient({ ...recipient, keys: [newKey('2100-01-01T00:00:00Z'), ...retired] });
});

beforeEach(() => desk.write(FILE, rotated));

function set(env: Record<string, string> = {}) {
  return desk.try(['set', 'db.yaml', 'password'], { input: 'one', env });
}

describe('an active key that is older than the one that was sealed to before', () => {
  test('is refused where there is nobody to ask, and what it would have sealed stays as it was', () => {
    assert.equal(set().status, 0, 'a rotation is silent');
    const before = desk.read('db.yaml');
    desk.write(FILE, old);
    for (const args of [
      ['set', 'db.yaml', 'password'],
      ['rewrap', 'db.yaml'],
    ]) {
      const { status, stderr } = desk.try(args, { input: 'two' });
      assert.deepEqual([status, stderr.split(':')[0]], [3, 'error RECIPIENT_KEY_ROLLED_BACK']);
    }
    assert.equal(desk.read('db.yaml'), before);
    desk.write(FILE, rotated);
    assert.equal(set().status, 0);
  });

  test('is not known to who never sealed to a newer one, nor remembered with COFFER_PINS', () => {
    desk.write('../pins', desk.coffer(['recipients', 'list', '--pins']));
    const env = { HOME: join(desk.home, 'ci'), COFFER_PINS: join(desk.home, 'pins') };
    assert.equal(set(env).status, 0);
    desk.write(FILE, old);
    assert.equal(set(env).status, 0);
  });

  test('is a question at a terminal, asked once', async (t) => {
    if (!terminalOrSkip(t)) return;
    assert.equal(set().status, 0);
    desk.write(FILE, old);
    const args = ['set', 'db.yaml', 'token', '--generate', 'hex'];
    const no = await atTerminal(desk, args, [['from now on? [y/N] ', 'n\r']]);
    assert.equal(no.status, 3);
    assert.match(no.shown, /is OLDER than[\s\S]*RECIPIENT_KEY_ROLLED_BACK/);
    const yes = await atTerminal(desk, args, [['from now on? [y/N] ', 'y\r']]);
    assert.equal(yes.status, 0, yes.shown);
    assert.equal(set().status, 0);
  });
});
