import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import { readKeyDirectory } from '../../../core/keys/key-directory.ts';
import { readRecipient } from '../../../core/keys/recipient.ts';
import { sealRetiredSeed } from '../../../core/keys/retired-key.ts';
import { Desk } from '../../../test/cli/desk.ts';

/** A repository with a cluster, two people, a group of one of them, and two manifests that the group opens. Ada's keys are here. */
let desk: Desk;
const keysOf = (name: string) => ['--key-dir', join(desk.home, name)];
const json = (args: string[]) => {
  const ran = desk.try([...args, '--json']);
  return { status: ran.status, ...JSON.parse(ran.stdout) };
};
const team = () =>
  readRecipient(Buffer.from(desk.read('.coffer/recipients/team.yaml')), '.coffer/recipients/team.yaml');
const opens = (name: string, file = 'apps/db.yaml') => desk.try(['get', file, 'password', ...keysOf(name)]).stdout;

before(async () => {
  await sodiumReady();
  desk = new Desk();
  desk.installCoffer();
  desk.coffer(['init']);
  desk.coffer(['recipients', 'create', 'production', '--type', 'cluster', ...keysOf('production')]);
  desk.coffer(['recipients', 'create', 'ada', '--type', 'person']);
  desk.coffer(['recipients', 'create', 'bob', '--type', 'person', ...keysOf('bob')]);
  desk.coffer(['recipients', 'create', 'team', '--type', 'group', '--member', 'ada']);
  for (const name of ['db', 'queue']) {
    const to = ['--recipient', 'production', '--recipient', 'team'];
    desk.coffer(['new', `payments/${name}`, '--reader', 'api', '-o', `apps/${name}.yaml`, ...to]);
    desk.coffer(['set', `apps/${name}.yaml`, 'password'], name);
  }
  desk.edit('.coffer/recipients/team.yaml', 'spec:', 'spec: # for payments');
  desk.coffer(['new', 'payments/gone', '--reader', 'api', '-o', 'apps/gone.yaml', '--recipient', 'team']);
  desk.coffer(['set', 'apps/gone.yaml', 'token'], 'of old');
  desk.commit('Begin');
  desk.git('rm', '--quiet', 'apps/gone.yaml');
  desk.commit('Remove one');
});

after(() => desk.remove());

describe('a group', () => {
  test('is joined by a change of its file alone, with the key of a member, after which the joiner opens', () => {
    assert.equal(json(['recipients', 'join', 'team', 'bob', ...keysOf('bob')]).error.code, 'GROUP_NOT_OPEN');
    assert.equal(json(['recipients', 'join', 'production', 'bob']).error.code, 'GROUP_NONE');
    assert.equal(opens('bob'), '');
    const joined = json(['recipients', 'join', 'team', 'bob']);
    assert.deepEqual([joined.status, joined.files], [0, ['.coffer/recipients/team.yaml']]);
    assert.equal(
      desk.git('show', '--name-only', '--format=%s').trim(),
      'Let bob join the group team\n\n.coffer/recipients/team.yaml',
    );
    assert.match(desk.read('.coffer/recipients/team.yaml'), /spec: # for payments/);
    assert.equal(opens('bob'), 'db');
    const again = json(['recipients', 'join', 'team', 'bob']);
    assert.deepEqual([again.status, again.error.code], [1, 'GROUP_MEMBER_ALREADY']);
  });

  test('is left by a new key for those who stay: who leaves opens nothing any more, its former keys are revoked, and what it could open is listed', () => {
    const removed = json(['recipients', 'remove', 'bob']).error;
    assert.equal(removed.code, 'RECIPIENT_IN_GROUP');
    assert.match(removed.advice, /coffer recipients leave team bob/);
    assert.equal(json(['recipients', 'leave', 'team', 'bob', ...keysOf('bob')]).error.code, 'GROUP_NEEDS_IDENTITY');
    const left = json(['recipients', 'leave', 'team', 'bob']);
    assert.deepEqual(
      [left.status, left.readable.map((one: { manifest: string; entry: string }) => `${one.manifest} ${one.entry}`)],
      [0, ['payments/db password', 'payments/gone token', 'payments/queue password']],
    );
    assert.deepEqual(
      team().keys.map(({ status, seeds }) => [status, [...seeds.keys()]]),
      [
        ['active', ['ada']],
        ['revoked', ['ada']],
      ],
    );
    for (const file of ['apps/db.yaml', 'apps/queue.yaml'])
      assert.ok(desk.read(file).includes(`team: "${left.keyId}:`));
    assert.deepEqual([opens('bob'), desk.coffer(['get', 'apps/db.yaml', 'password'])], ['', 'db']);
    assert.equal(desk.git('status', '--porcelain'), '');
    desk.coffer(['check']);
    assert.equal(json(['recipients', 'leave', 'team', 'ada']).error.code, 'GROUP_LAST_MEMBER');
    assert.equal(json(['recipients', 'leave', 'team', 'bob']).error.code, 'GROUP_MEMBER_UNKNOWN');
  });

  test('that its creator leaves is said to be in their hands still: the identity that makes its keys is theirs', () => {
    json(['recipients', 'join', 'team', 'bob']);
    const left = desk.try(['recipients', 'leave', 'team', 'ada', '--no-commit']);
    assert.match(left.stderr, /the identity of team is ada’s/);
    desk.git('checkout', '--', '.');
    assert.doesNotMatch(desk.try(['recipients', 'leave', 'team', 'bob']).stderr, /the identity of/);
  });

  test('is left by the same command again where the first was interrupted: nothing stays sealed to what the leaver has', () => {
    json(['recipients', 'join', 'team', 'bob']);
    const first = json(['recipients', 'leave', 'team', 'bob', '--no-commit']);
    // As an interruption leaves it: the group's file is written first.
    desk.git('checkout', '--', 'apps/queue.yaml');
    const again = json(['recipients', 'leave', 'team', 'bob']);
    assert.deepEqual([again.status, again.keyId, again.readable], [0, first.keyId, first.readable]);
    assert.ok(again.readable.length > 0);
    for (const file of ['apps/db.yaml', 'apps/queue.yaml'])
      assert.ok(desk.read(file).includes(`team: "${first.keyId}:`), file);
    assert.equal(desk.git('status', '--porcelain'), '');
    assert.equal(json(['recipients', 'leave', 'team', 'bob']).error.code, 'GROUP_MEMBER_UNKNOWN');
  });
});

describe('coffer recipients retire', () => {
  const retire = (kid: string) => json(['recipients', 'retire', kid]);

  test('of an active key, or one that nobody has, is refused', () => {
    assert.equal(retire(team().keys[0]?.kid ?? '').error.code, 'RETIRE_ACTIVE');
    assert.equal(retire('0'.repeat(32)).error.code, 'KEY_ID_UNKNOWN');
  });

  test('lists what hangs on the key in any branch or tag, and asks its operator once nothing does', () => {
    const path = '.coffer/recipients/production.yaml';
    const keys = () => readRecipient(Buffer.from(desk.read(path)), path).keys;
    const kid = keys()[0]?.kid ?? '';
    desk.git('branch', 'feature');
    desk.git('tag', '-a', 'v1', '-m', 'Release');
    desk.coffer(['recipients', 'rotate', 'production', ...keysOf('production')]);
    const hanging = retire(kid.slice(0, 6));
    assert.deepEqual([hanging.status, hanging.request], [1, null]);
    assert.deepEqual(
      hanging.hanging,
      ['db', 'queue'].map((name) => ({
        refs: ['refs/heads/feature', 'refs/tags/v1'],
        path: `apps/${name}.yaml`,
        what: `payments/${name}`,
      })),
    );
    desk.git('branch', '-D', 'feature');
    desk.git('tag', '-d', 'v1');
    const escaped = `\\x${kid.charCodeAt(0).toString(16)}${kid.slice(1)}`;
    const hidden = desk.git('show', 'HEAD~1:apps/db.yaml').replaceAll(`${kid}:`, `${escaped}:`);
    desk.write('hidden.yaml', hidden);
    desk.commit('Write the id of a key with an escape');
    assert.deepEqual(
      retire(kid).hanging.map(({ what }: { what: string }) => what),
      ['payments/db'],
    );
    desk.git('reset', '-q', '--hard', 'HEAD~1');
    const asked = retire(kid);
    assert.deepEqual([asked.status, asked.request], [0, `retire-production-${kid.slice(0, 16)}`]);
    assert.match(desk.git('show', '--name-only', '--format='), /^\.coffer\/requests\/retire-production-/);
    assert.ok(keys().some((key) => key.kid === kid));
  });

  test('is undone with a recovery key: the key is stored again and opens', async () => {
    desk.coffer(['recipients', 'create', 'vault', '--type', 'recovery', ...keysOf('vault')]);
    const vault = readRecipient(Buffer.from(desk.read('.coffer/recipients/vault.yaml')), 'vault.yaml').keys[0];
    const { keys } = await readKeyDirectory(join(desk.home, 'production'));
    const [kid = '', secret] = [...keys].at(-1) ?? [];
    assert.ok(vault && secret);
    const seed = {
      vault: sealRetiredSeed(secret.seed, { recipient: 'production', kid }, { recipient: 'vault', ...vault }),
    };
    desk.write('../kept.json', JSON.stringify({ recipient: 'production', key: kid, seed }));
    const restore = (key: string, by: string) =>
      json([
        'recipients',
        'restore',
        key,
        '--from-file',
        join(desk.home, 'kept.json'),
        ...keysOf(by),
        '--to',
        join(desk.home, 'back'),
      ]);
    assert.equal(restore(kid, 'bob').error.code, 'RETIRED_KEY_NOT_OPEN');
    assert.equal(restore('0'.repeat(32), 'vault').error.code, 'RETIRED_KEY_DAMAGED');
    assert.deepEqual(restore(kid.slice(0, 8), 'vault'), {
      status: 0,
      key: kid,
      name: 'production',
      file: join(desk.home, 'back', `${kid}.key`),
    });
    assert.deepEqual((await readKeyDirectory(join(desk.home, 'back'))).keys.get(kid)?.seed, secret.seed);
  });

  test('of who has no operator says that its owner removes the file', () => {
    assert.equal(retire(team().keys[1]?.kid ?? '').error.code, 'RETIRE_NO_OPERATOR');
  });
});

describe('the keyring', () => {
  test('is listed with the age of keys, the stanzas on each, and when the active one is due', () => {
    desk.edit('.coffer/recipients/production.yaml', /$/, '  rotation: {every: 90d}\n');
    const { recipients } = json(['recipients', 'list', 'production', 'team']);
    const [production, group] = recipients;
    assert.deepEqual([production.due, group.due], [89, null]);
    assert.deepEqual(
      production.keys.map((key: { stanzas: number }) => key.stanzas),
      [2, 0],
    );
    assert.match(
      desk.coffer(['recipients', 'list', 'production']),
      / active {2}\S+ \(today\), 2 stanzas\n {2}.* 0 stanzas\n {2}due in 89 days\n/,
    );
  });

  test('gives the line of allowed signers by which ssh-keygen knows a recipient, if its identity is pinned', () => {
    const [, , type, key] = desk.coffer(['recipients', 'signer', 'production']).trim().split(' ');
    desk.write('../production.pub', `${type} ${key}\n`);
    assert.match(desk.run('ssh-keygen', ['-lf', join(desk.home, 'production.pub')]).stdout, /^256 SHA256:.*ED25519/);
    const unpinned = desk.try(['recipients', 'signer', 'production', '--json'], { env: { COFFER_PINS: '/nowhere' } });
    assert.equal(JSON.parse(unpinned.stdout).error.code, 'RECIPIENT_UNPINNED');
  });
});
