import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';

const desk = new Desk();
after(() => desk.remove());
desk.coffer(['init']);

function identityOf(name: string): string {
  const { recipients } = JSON.parse(desk.coffer(['recipients', 'list', '--json']));
  return recipients.find((recipient: { name: string }) => recipient.name === name).identity;
}

describe('coffer recipients', () => {
  test('create keeps the secrets to their owner, publishes the rest, and pins what it made', () => {
    const made = JSON.parse(desk.coffer(['recipients', 'create', 'alice', '--type', 'person', '--json']));
    assert.equal(made.file, '.coffer/recipients/alice.yaml');
    assert.match(made.keyId, /^[0-9a-f]{32}$/);
    assert.deepEqual(made.secrets, [join(desk.keys, `${made.keyId}.key`), join(desk.keys, 'alice.identity')]);
    assert.equal(statSync(desk.keys).mode & 0o777, 0o700);
    for (const secret of made.secrets) assert.equal(statSync(secret).mode & 0o777, 0o600);
    assert.doesNotMatch(desk.read(made.file), /COFFER-/);
    assert.match(desk.coffer(['recipients', 'list']), /^alice \(person\) pinned$/m);
  });

  test('create puts the secrets where --key-dir says, relative to the working directory', () => {
    desk.coffer(['recipients', 'create', 'production', '--type', 'cluster', '--key-dir', '../production-keys']);
    assert.equal(readdirSync(join(desk.home, 'production-keys')).length, 2);
  });

  test('create never writes over a recipient, and refuses names that are none', () => {
    const before = desk.read('.coffer/recipients/alice.yaml');
    const again = desk.try(['recipients', 'create', 'alice', '--type', 'person']);
    assert.equal(again.status, 3);
    assert.match(again.stderr, /^error RECIPIENT_EXISTS: /);
    assert.equal(desk.read('.coffer/recipients/alice.yaml'), before);
    const keys = readdirSync(desk.keys);
    rmSync(join(desk.folder, '.coffer/recipients/alice.yaml'));
    const identity = desk.try(['recipients', 'create', 'alice', '--type', 'person']);
    assert.match(identity.stderr, /^error IDENTITY_EXISTS: /);
    assert.deepEqual(readdirSync(desk.keys), keys, 'the key of a recipient that was not made');
    desk.write('.coffer/recipients/alice.yaml', before);
    for (const name of ['Alice', '../alice', 'a_b', '']) {
      assert.equal(desk.try(['recipients', 'create', name, '--type', 'person']).status, 2, name);
    }
  });

  test('a group has members, and the identity of the one who made it', () => {
    const refused = desk.try(['recipients', 'create', 'team', '--type', 'group']);
    assert.deepEqual([refused.status, refused.stderr.split(':')[0]], [2, 'error GROUP_NO_MEMBERS']);
    const members = ['--member', 'alice', '--member', 'production'];
    const made = JSON.parse(desk.coffer(['recipients', 'create', 'team', '--type', 'group', ...members, '--json']));
    assert.deepEqual([made.secrets, made.identity], [[], identityOf('alice')]);
    assert.match(desk.coffer(['recipients', 'list']), /^team \(group, members alice, production\) pinned$/m);
    const unknown = desk.try(['recipients', 'create', 'other', '--type', 'group', '--member', 'nobody']);
    assert.match(unknown.stderr, /^error RECIPIENT_UNKNOWN: /);
  });

  test('another person has pinned nothing: without a terminal they need the identity, and a wrong one is refused', () => {
    const env = { HOME: join(desk.home, 'bob') };
    assert.match(desk.try(['recipients', 'list'], { env }).stdout, /^alice \(person\) unknown$/m);
    const noPins = desk.try(['recipients', 'list', '--pins'], { env });
    assert.deepEqual([noPins.status, noPins.stdout], [1, '']);

    const asked = desk.try(['recipients', 'pin', 'alice'], { env });
    assert.deepEqual([asked.status, asked.stderr.split(':')[0]], [2, 'error PIN_NEEDS_IDENTITY']);
    const wrong = desk.try(['recipients', 'pin', 'alice', '--identity', identityOf('production')], { env });
    assert.deepEqual([wrong.status, wrong.stderr.split(':')[0]], [1, 'error PIN_DIFFERS']);
    const mistyped = desk.try(['recipients', 'pin', 'alice', '--identity', identityOf('alice').slice(0, -1)], { env });
    assert.equal(mistyped.status, 3);

    assert.equal(desk.try(['recipients', 'pin', 'alice', '--identity', identityOf('alice')], { env }).status, 0);
    const pins = desk.try(['recipients', 'list', '--pins'], { env });
    assert.deepEqual([pins.status, pins.stdout], [1, `alice ${identityOf('alice')}\n`]);
  });

  test('list --pins is a file for COFFER_PINS', () => {
    desk.write('../pins', desk.coffer(['recipients', 'list', '--pins']));
    const env = { HOME: join(desk.home, 'ci'), COFFER_PINS: join(desk.home, 'pins') };
    const { recipients } = JSON.parse(desk.try(['recipients', 'list', '--json'], { env }).stdout);
    assert.deepEqual(
      recipients.map(({ name, trust }: { name: string; trust: string }) => [name, trust]),
      [
        ['alice', 'pinned'],
        ['production', 'pinned'],
        ['team', 'pinned'],
      ],
    );
  });

  test('list NAME --pins gives an operator no more pins than it is meant to have', () => {
    const pins = desk.coffer(['recipients', 'list', 'production', '--pins']);
    assert.match(pins, /^production coffer-identity-1-\S+\n$/);
    assert.match(desk.try(['recipients', 'list', 'nobody', '--pins']).stderr, /^error RECIPIENT_UNKNOWN: /);
  });

  test('a COFFER_PINS that names no pins is told as that, with its file', () => {
    desk.write('../empty', '');
    desk.coffer(['new', 'team/pins', '--recipient', 'alice', '-o', 'pins.yaml']);
    for (const [pins, told] of [
      ['', 'COFFER_PINS is empty'],
      ['../absent', 'COFFER_PINS names ../absent, which is not there'],
      ['../empty', 'COFFER_PINS names ../empty, which is empty'],
    ] as const) {
      const set = desk.try(['set', 'pins.yaml', 'a'], { input: 'x', env: { COFFER_PINS: pins } });
      assert.deepEqual([set.status, set.stderr.split('\n')[0]], [3, `error PINS_NONE: ${told}`]);
    }
  });

  test('list tells of a broken file beside those that are fine', () => {
    desk.write('.coffer/recipients/broken.yaml', 'apiVersion: coffer.dev/v1\nkind: Recipient\n');
    const listed = desk.try(['recipients', 'list', '--json']);
    assert.equal(listed.status, 3);
    const { recipients, errors } = JSON.parse(listed.stdout);
    assert.deepEqual([recipients.length, errors.length, errors[0].data.file], [3, 1, '.coffer/recipients/broken.yaml']);
  });
});
