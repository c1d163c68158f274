import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';
import { SigningKey } from '../../test/cli/signing.ts';

const FILE = 'payments/db.yaml';

let start: Desk;
let desk: Desk;
const desks: Desk[] = [];

/** Ada, who can open the manifest; production, whose key is elsewhere. What was committed is 40 days old. */
before(() => {
  start = new Desk();
  desks.push(start);
  start.installCoffer();
  start.coffer(['init']);
  start.coffer(['recipients', 'create', 'ada', '--type', 'person']);
  start.coffer([
    'recipients',
    'create',
    'production',
    '--type',
    'cluster',
    '--key-dir',
    join(start.home, 'production'),
  ]);
  start.write(
    FILE,
    `# Kept
apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata: {name: db, namespace: payments}
spec:
  recipients: [ada, production]
  readers: [{name: api}]
  data:
    password: first-password
    token: first-token # by hand
    user: app
  template:
    data:
      URL: "postgres://\${user}:\${password:uri}@db"
  rotation:
    password: {every: 30d, generate: {kind: password, length: 20}, keepPrevious: 24h}
    session: {every: 90d, generate: {kind: hex, length: 16}}
    token: {every: 30d}
    user: {rotator: pg}
`,
  );
  start.coffer(['encrypt', FILE]);
  commitAt(start, '40 days ago');
});
beforeEach(() => {
  desk = new Desk(start);
  desks.push(desk);
});
after(() => {
  for (const one of desks) one.remove();
});

function commitAt(on: Desk, ago: string): void {
  on.write('log', ago);
  on.git('add', '--all');
  const days = Number(/^\d+/.exec(ago)?.[0]);
  const date = `@${Math.floor(Date.now() / 1000) - days * 86_400} +0000`;
  const env = { GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date };
  const { status, stderr } = on.run('git', ['commit', '--quiet', '--no-verify', '--message', 'x'], { env });
  assert.equal(status, 0, stderr);
}

const value = (entry: string, ...as: string[]) => desk.coffer(['get', FILE, entry, ...as]);
const asProduction = () => ['--key-dir', join(desk.home, 'production')];
const withoutKeys = ['--key-dir', '/nowhere'];
const json = (args: string[]) => JSON.parse(desk.coffer([...args, '--json']));
const subject = () => desk.git('log', '-1', '--format=%s').trim();

describe('coffer rotate FILE ENTRY', () => {
  test('seals a new value to all recipients, keeps the former one, and commits; templates follow', () => {
    const out = desk.coffer(['rotate', FILE, 'password']);
    assert.equal(out, `rotated password of payments/db (${FILE}); the former value stays as password.previous\n`);
    const password = value('password', ...asProduction());
    assert.match(password, /^[A-Za-z0-9]{20}$/);
    assert.equal(value('URL', ...asProduction()), `postgres://app:${password}@db`);
    assert.equal(value('password.previous', ...asProduction()), 'first-password');
    assert.equal(subject(), 'Rotate password of payments/db');
    assert.equal(desk.git('status', '--porcelain'), '');
    desk.coffer(['check']);
    // One line changed, one came; the stanzas of one data key came.
    const lines = desk.git('diff', '--no-textconv', '--unified=0', 'HEAD~1', '--', FILE).split('\n');
    const changed = lines.filter((line) => /^[-+] /.test(line)).map((line) => line.replace(/CF\[.*|"[^"]*"/g, '…'));
    assert.deepEqual(changed, [
      '-    password: …',
      '+    password: …',
      '+    password.previous: …',
      '+    # password',
      '+    …:',
      '+      ada: …',
      '+      production: …',
      '+    # password.previous',
    ]);
  });

  test('without a secret key says what takes one, and changes nothing; --drop-previous takes none', () => {
    const before = desk.read(FILE);
    const { status, stderr } = desk.try(['rotate', FILE, 'password', ...withoutKeys]);
    assert.equal(status, 3);
    assert.match(stderr, /^error ROTATE_PREVIOUS_NEEDS_KEY: [\s\S]*ada or production[\s\S]*--drop-previous/);
    const due = desk.try(['rotate', '--due', ...withoutKeys]);
    assert.match(due.stderr, /ROTATE_PREVIOUS_NEEDS_KEY/);
    assert.doesNotMatch(due.stderr, /Nothing to do/);
    assert.equal(desk.read(FILE), before);
    desk.coffer(['rotate', FILE, 'password', '--drop-previous', ...withoutKeys]);
    assert.notEqual(value('password'), 'first-password');
    assert.doesNotMatch(desk.read(FILE), /previous:/);
  });

  test('makes a value that was not there yet, with public keys alone', () => {
    desk.coffer(['rotate', FILE, 'session', ...withoutKeys]);
    assert.match(value('session', ...asProduction()), /^[0-9a-f]{32}$/);
  });

  const refused: [entry: string, code: string, status: number][] = [
    ['token', 'ROTATE_BY_HAND', 3],
    ['user', 'ROTATE_BY_ROTATOR', 3],
    ['nothing', 'ROTATE_UNKNOWN', 2],
  ];
  for (const [entry, code, expected] of refused) {
    test(`refuses ${entry}: ${code}`, () => {
      for (const how of ['--dry-run', '--due']) {
        const { status, stderr } = desk.try(['rotate', FILE, entry, how]);
        if (entry === 'user' && how === '--due') continue; // is due at no time
        assert.equal(status, expected);
        assert.match(stderr, new RegExp(`^error ${code}: `));
      }
    });
  }

  test('--dry-run and --no-commit do what they say', () => {
    const before = desk.read(FILE);
    assert.match(desk.coffer(['rotate', FILE, 'password', '--dry-run']), /^would rotate password /);
    assert.equal(desk.read(FILE), before);
    const head = desk.git('rev-parse', 'HEAD');
    assert.equal(json(['rotate', FILE, 'password', '--no-commit']).commit, null);
    assert.notEqual(desk.read(FILE), before);
    assert.equal(desk.git('rev-parse', 'HEAD'), head);
  });
});

test('whoever is granted values alone may rotate, and remove former values', () => {
  const ci = new SigningKey(desk, 'ci@example.com');
  desk.write('../allowed_signers', ci.allowed);
  desk.write(
    '../policy.yaml',
    `apiVersion: coffer.dev/v1
kind: TrustPolicy
metadata: {name: policy}
spec:
  signers: {ssh: {allowedSigners: allowed_signers}}
  grants:
    - {signers: [ci@example.com], paths: [/payments/], may: [values]}
`,
  );
  desk.git('branch', 'accepted');
  ci.use();
  desk.coffer(['rotate', FILE, 'password']);
  desk.coffer(['rotate', FILE, '--drop-previous']);
  const { status, stdout, stderr } = desk.try(['check', '--trust', '../policy.yaml', '--since', 'accepted']);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^2 commits since accepted /m);
});

describe('coffer rotate --due', () => {
  test('makes what is as old as the manifest says by its commits, once, in all of the repository', () => {
    const { stderr, stdout } = desk.try(['rotate', '--due'], { cwd: join(desk.folder, 'payments') });
    assert.match(stdout, /^rotated password, session of payments\/db /);
    assert.match(stderr, /token of payments\/db .* is changed by hand/);
    const again = json(['rotate', '--due']);
    assert.equal(again.commit, null);
    assert.deepEqual(again.files[0].manifests[0].left, [{ entry: 'token', by: 'hand' }]);
    assert.deepEqual(again.files[0].manifests[0].rotated, []);
  });

  test('counts from the commit that brought the value, not from one that moved the file or changed another', () => {
    desk.git('mv', FILE, 'moved.yaml');
    commitAt(desk, '20 days ago');
    desk.edit('moved.yaml', '# Kept', '# Changed');
    commitAt(desk, '10 days ago');
    assert.deepEqual(json(['rotate', 'moved.yaml', '--due', '--dry-run']).files[0].manifests[0].rotated, [
      'password',
      'session',
    ]);
  });

  test('removes former values after their time, with public keys alone, and not before', () => {
    desk.coffer(['rotate', FILE, 'password', '--no-commit']);
    commitAt(desk, '2 days ago');
    desk.coffer(['rotate', FILE, 'session', ...withoutKeys]);
    assert.match(desk.read(FILE), /password\.previous:/, 'of another entry than was asked for');
    assert.deepEqual(json(['rotate', FILE, '--due', ...withoutKeys]).files[0].manifests[0].removed, [
      'password.previous',
    ]);
    assert.doesNotMatch(desk.read(FILE), /password\.previous:/);
    assert.equal(subject(), 'Remove password.previous of payments/db');
  });

  test('leaves alone what was only named like a former value, says so, and puts none in its place', () => {
    desk.coffer(['set', FILE, 'password.previous'], 'needed');
    commitAt(desk, '35 days ago');
    desk.git('mv', FILE, 'moved.yaml');
    commitAt(desk, '34 days ago');
    const { status, stderr } = desk.try(['rotate', '--due']);
    assert.equal(status, 3);
    assert.match(stderr, /error ROTATE_FORMER_UNPROVEN: .*password\.previous of payments\/db/);
    const { rotated, removed } = json(['rotate', 'moved.yaml', 'password', '--drop-previous']).files[0].manifests[0];
    assert.deepEqual([rotated, removed], [['password'], []]);
    const warned = desk.try(['rotate', '--due']);
    assert.match(warned.stderr, /warning.*password\.previous of payments\/db/);
    assert.equal(desk.coffer(['get', 'moved.yaml', 'password.previous', ...asProduction()]), 'needed');
  });

  test('makes anew at once what a revoked key could open, once', () => {
    desk.coffer(['rotate', FILE, '--due']);
    desk.coffer(['recipients', 'rotate', 'ada', '--revoke', '--reason', 'stolen laptop']);
    const plan = () => json(['rotate', '--due', '--dry-run']).files[0].manifests[0];
    assert.deepEqual(plan().rotated, ['password', 'session']);
    assert.deepEqual(plan().exposed, ['password', 'session', 'token', 'user']);
    const { stderr } = desk.try(['rotate', '--due']);
    assert.match(
      stderr,
      /token of .* is exposed, and is changed by hand[\s\S]*user of .* is exposed, and is rotated by pg/,
    );
    assert.deepEqual(plan().rotated, []);
  });

  test('is what coffer check warns of, in time', () => {
    const found = (days: string) => {
      commitAt(desk, days);
      const { findings } = JSON.parse(desk.try(['check', '--json']).stdout);
      return findings.map(({ rule, data }: { rule: string; data: { entry: string } }) => [rule, data.entry]);
    };
    assert.deepEqual(found('20 days ago'), [
      ['CHECK_ROTATION_OVERDUE', 'password'],
      ['CHECK_ROTATION_OVERDUE', 'token'],
      ['CHECK_ROTATION_NOBODY', 'user'],
    ]);
    desk.coffer(['rotate', FILE, 'password', '--no-commit']);
    assert.deepEqual(found('2 days ago'), [
      ['CHECK_ROTATION_OVERDUE', 'password.previous'],
      ['CHECK_ROTATION_OVERDUE', 'token'],
      ['CHECK_ROTATION_NOBODY', 'user'],
    ]);
  });

  test('refuses a shallow clone, where every value seems to be as old as its first commit', () => {
    commitAt(desk, '1 day ago');
    const clone = join(desk.home, 'shallow');
    desk.git('clone', '--quiet', '--depth=1', `file://${desk.folder}`, clone);
    const { status, stderr } = desk.try(['rotate', '--due'], { cwd: clone });
    assert.equal(status, 3);
    assert.match(stderr, /^error HISTORY_SHALLOW: [\s\S]*--unshallow/);
  });
});
