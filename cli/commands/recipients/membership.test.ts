import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { storeSecretKey } from '../../../core/keys/key-directory.ts';
import { identityText } from '../../../core/keys/key-texts.ts';
import { renderRecipient } from '../../../core/keys/recipient-text.ts';
import type { Desk } from '../../../test/cli/desk.ts';
import { deskForEach, keysIn, makeSecrets } from '../../../test/cli/desk-for-each.ts';
import { atTerminal, terminalOrSkip } from '../../../test/cli/terminal.ts';
import { testCluster } from '../../../test/support/secrets.ts';

/** A repository with a cluster, a recovery key and two manifests; only the recovery key is at hand. */
let desk: Desk;
deskForEach(
  (begun) => {
    for (const [name, type] of [
      ['production', 'cluster'],
      ['recovery', 'recovery'],
    ] as const) {
      begun.coffer(['recipients', 'create', name, '--type', type, ...keysIn(begun, name)]);
    }
    begun.edit(
      '.coffer/config.yaml',
      '  # rules:\n',
      '  rules:\n    - {path: "apps/**", recipients: [production, recovery]}\n  # rules:\n',
    );
    makeSecrets(begun, ['db', 'queue']);
  },
  (copy) => {
    desk = copy;
  },
);

const recovery = () => keysIn(desk, 'recovery');

/** A cluster that waits to be enrolled, by the file that its operator wrote; its keys are in a folder of its name. */
async function waiting(name: string): Promise<{ file: string; identity: string }> {
  const { recipient, seed } = testCluster(name);
  await storeSecretKey(join(desk.home, name), seed);
  desk.write(`../${name}-announced.yaml`, renderRecipient(recipient));
  return { file: join(desk.home, `${name}-announced.yaml`), identity: identityText(recipient.identity) };
}

async function enroll(name: string): Promise<{ file: string; identity: string }> {
  const announced = await waiting(name);
  desk.coffer(['recipients', 'enroll', name, '--from-file', announced.file, '--identity', announced.identity]);
  return announced;
}

const opens = (name: string, file: string) =>
  desk.try(['get', file, 'password', '--key-dir', join(desk.home, name)]).stdout;

describe('coffer recipients enroll', () => {
  test('takes the cluster into the keyring, pins it, and commits that file alone', async () => {
    const { file, identity } = await waiting('staging');
    desk.write('other.txt', 'not to be committed');
    desk.git('add', 'other.txt');
    const args = ['recipients', 'enroll', 'staging', '--from-file', file, '--json'];
    const refused = desk.try(args);
    assert.deepEqual([refused.status, JSON.parse(refused.stdout).error.code], [2, 'PIN_NEEDS_IDENTITY']);
    const enrolled = JSON.parse(desk.coffer([...args, '--identity', identity]));
    assert.deepEqual([enrolled.changed, enrolled.identity], [true, identity]);
    assert.equal(
      desk.git('show', '--name-only', '--format=%s', enrolled.commit).trim(),
      'Enrol staging\n\n.coffer/recipients/staging.yaml',
    );
    assert.match(desk.git('status', '--porcelain'), /^A {2}other\.txt$/m);
    assert.match(desk.coffer(['recipients', 'list']), /^staging \(cluster\) pinned$/m);
    assert.equal(JSON.parse(desk.coffer([...args, '--identity', identity])).changed, false);
  });

  test('refuses another identity than the owner gave, another name, a changed byte, and somebody else’s key', async () => {
    const { file, identity } = await waiting('staging');
    const { identity: other } = await waiting('other');
    const attempt = (name: string, given: string) =>
      JSON.parse(desk.try(['recipients', 'enroll', name, '--from-file', file, '--identity', given, '--json']).stdout)
        .error.code;
    assert.equal(attempt('staging', other), 'PIN_DIFFERS');
    assert.equal(attempt('other', identity), 'ENROLL_NAME');
    const announced = desk.read('../staging-announced.yaml');
    desk.write('../staging-announced.yaml', announced.replace(/created: "\d{4}/, 'created: "2001'));
    assert.equal(attempt('staging', identity), 'RECIPIENT_ENDORSEMENT');
    desk.write('../staging-announced.yaml', announced);
    desk.write('.coffer/recipients/production.yaml', '');
    desk.coffer(['recipients', 'enroll', 'staging', '--from-file', file, '--identity', identity, '--no-commit']);
    assert.match(desk.git('status', '--porcelain'), /^\?\? \.coffer\/recipients\/staging\.yaml$/m);
  });

  test('at a terminal shows the whole identity and asks; a no changes nothing', async (t) => {
    if (!terminalOrSkip(t)) return;
    const { file, identity } = await waiting('staging');
    const args = ['recipients', 'enroll', 'staging', '--from-file', file];
    const no = await atTerminal(desk, args, [['Trust this as staging, from now on?', 'n\n']]);
    assert.equal(no.status, 3);
    assert.ok(no.shown.includes(identity) && no.shown.includes('RECIPIENT_NOT_CONFIRMED'));
    assert.equal(desk.git('status', '--porcelain'), '');
    const yes = await atTerminal(desk, args, [['Trust this as staging, from now on?', 'y\n']]);
    assert.equal(yes.status, 0);
    assert.match(desk.git('log', '-1', '--format=%s'), /^Enrol staging$/m);
  });

  test('never puts a cluster in the place of one of its name', async () => {
    await enroll('staging');
    const again = await waiting('staging');
    const refused = desk.try([
      'recipients',
      'enroll',
      'staging',
      '--from-file',
      again.file,
      '--identity',
      again.identity,
    ]);
    assert.match(refused.stderr, /^error RECIPIENT_EXISTS: /);
  });
});

describe('coffer recipients add --like', () => {
  test('lets it open everything at once where the keys at hand can, and new files too', async () => {
    await enroll('staging');
    const added = JSON.parse(
      desk.coffer(['recipients', 'add', 'staging', '--like', 'production', ...recovery(), '--json']),
    );
    assert.deepEqual([added.manifests.length, added.pending, added.request], [2, [], null]);
    for (const name of ['db', 'queue']) assert.equal(opens('staging', `apps/${name}.yaml`), `${name}-secret`);
    assert.match(desk.read('.coffer/config.yaml'), /recipients: \[production, recovery, staging\]\}\n {2}# rules:/);
    assert.equal(desk.git('status', '--porcelain'), '');
    assert.equal(desk.try(['check', '--strict']).status, 0);
    const again = JSON.parse(
      desk.coffer(['recipients', 'add', 'staging', '--like', 'production', ...recovery(), '--json']),
    );
    assert.deepEqual([again.files, again.commit], [[], null]);
  });

  test('without a key that opens, asks the operator by a committed request that carries the confirmed identity', async () => {
    const { identity } = await enroll('staging');
    const added = JSON.parse(desk.coffer(['recipients', 'add', 'staging', '--like', 'production', '--json']));
    assert.deepEqual([added.pending.length, added.files.length], [2, 4]);
    const request = desk.read(`.coffer/requests/${added.request}.yaml`);
    assert.ok(request.includes(`identity: ${identity}\n`) && request.includes('like: production\n'));
    assert.equal(desk.git('status', '--porcelain'), '');
    desk.edit(`.coffer/requests/${added.request}.yaml`, 'like: production', 'like: recovery');
    assert.match(desk.try(['check']).stdout, /REQUEST_FILE/);
    desk.git('checkout', '--quiet', '.coffer/requests');
    // The same wish is the same request; whoever can open fulfils it, and it goes.
    assert.equal(
      JSON.parse(desk.coffer(['recipients', 'add', 'staging', '--like', 'production', '--json'])).request,
      added.request,
    );
    const done = JSON.parse(
      desk.coffer(['recipients', 'add', 'staging', '--like', 'production', ...recovery(), '--json']),
    );
    assert.deepEqual([done.pending, done.files.includes(`.coffer/requests/${added.request}.yaml`)], [[], true]);
    assert.equal(opens('staging', 'apps/db.yaml'), 'db-secret');
  });

  test('never for an identity that the person has not confirmed', async () => {
    await enroll('staging');
    const env = { HOME: join(desk.home, 'bob') };
    const refused = desk.try(['recipients', 'add', 'staging', '--like', 'production', '--no-commit'], { env });
    assert.match(refused.stderr, /^error PIN_NEEDS_IDENTITY: /);
    assert.equal(desk.git('status', '--porcelain'), '');
  });
});

describe('coffer recipients remove', () => {
  test('takes it out of manifests, stanzas and rules, revokes its keys, and says what it could open', () => {
    const removed = JSON.parse(desk.coffer(['recipients', 'remove', 'production', '--json']));
    assert.deepEqual(
      removed.manifests.map(({ manifest, entries }: { manifest: string; entries: string[] }) => [manifest, entries]),
      [
        ['payments/db', ['password']],
        ['payments/queue', ['password']],
      ],
    );
    assert.doesNotMatch(
      desk.read('apps/db.yaml') + desk.read('.coffer/config.yaml').split('  # rules:')[0],
      /production/,
    );
    assert.match(desk.read('.coffer/recipients/production.yaml'), /status: revoked/);
    assert.equal(opens('recovery', 'apps/db.yaml'), 'db-secret');
    assert.equal(desk.git('status', '--porcelain'), '');
  });

  test('with --clean retires them only', () => {
    desk.coffer(['recipients', 'remove', 'production', '--clean']);
    assert.match(desk.read('.coffer/recipients/production.yaml'), /status: retired/);
  });

  test('refuses to remove the last one, and changes nothing then', () => {
    desk.coffer(['recipients', 'remove', 'recovery']);
    const refused = desk.try(['recipients', 'remove', 'production']);
    assert.equal(refused.status, 3);
    assert.match(refused.stderr, /^error (?:REWRAP_NOBODY_LEFT|CONFIG_RULE_EMPTY): /);
    assert.equal(desk.git('status', '--porcelain'), '');
  });
});

describe('coffer recipients replace', () => {
  test('puts the new one in the place of the old one, in one commit', async () => {
    await enroll('staging');
    const before = desk.git('rev-list', '--count', 'HEAD').trim();
    desk.coffer(['recipients', 'replace', 'production', 'staging', ...recovery()]);
    assert.equal(Number(desk.git('rev-list', '--count', 'HEAD')), Number(before) + 1);
    assert.match(desk.read('apps/db.yaml'), /recipients: \[recovery, staging\]|- recovery\n\s+- staging/);
    assert.equal(opens('staging', 'apps/queue.yaml'), 'queue-secret');
  });

  test('keeps the old one while the new one cannot open everything', async () => {
    await enroll('staging');
    const refused = desk.try(['recipients', 'replace', 'production', 'staging']);
    assert.equal(refused.status, 1);
    assert.match(desk.read('apps/db.yaml'), /production/);
    assert.equal(opens('production', 'apps/db.yaml'), 'db-secret');
  });
});
