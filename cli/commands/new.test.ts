import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';

const CANARY = 'hunter2-canary';

const desk = new Desk();
after(() => desk.remove());
desk.coffer(['init']);
desk.coffer(['recipients', 'create', 'alice', '--type', 'person']);
desk.coffer(['recipients', 'create', 'recovery', '--type', 'recovery', '--key-dir', '../recovery']);
desk.write('db.env', `USERNAME=admin\nPASSWORD=${CANARY}\n`);

function certificate(name: string): void {
  const subject = ['-subj', `/CN=${name}`, '-days', '2'];
  const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
  const { status, stderr } = desk.run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ed25519',
    '-nodes',
    ...subject,
    ...files,
  ]);
  assert.equal(status, 0, stderr);
}

describe('coffer new', () => {
  test('seals an env file to NAMESPACE/NAME.yaml at the root, from any folder, and shows no value', () => {
    const args = [
      'new',
      'payments/db',
      '--from-env-file',
      '../db.env',
      '--recipient',
      'alice',
      '--reader',
      'api=USERNAME',
    ];
    desk.write('deep/file', '');
    const { status, stdout, stderr } = desk.try(args, { cwd: join(desk.folder, 'deep') });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, 'made ../payments/db.yaml, sealed to alice\n');
    const text = desk.read('payments/db.yaml');
    assert.ok(!`${text}${stdout}${stderr}`.includes(CANARY));
    assert.equal(desk.coffer(['get', 'payments/db.yaml', 'PASSWORD']), CANARY);
    assert.match(text, /name: api\n {6}entries: \[USERNAME\]/);
    desk.coffer(['check', 'payments']);
  });

  test('never writes over a file', () => {
    const before = desk.read('payments/db.yaml');
    const { status, stderr } = desk.try(['new', 'payments/db', '--recipient', 'alice']);
    assert.deepEqual([status, stderr.split(':')[0], desk.read('payments/db.yaml')], [3, 'error NEW_EXISTS', before]);
  });

  test('takes recipients from the rules, and adds those that the repository requires', () => {
    const none = desk.try(['new', 'web/a']);
    assert.deepEqual([none.status, none.stderr.split(':')[0]], [2, 'error NEW_NO_RECIPIENTS']);
    const before = desk.read('.coffer/config.yaml');
    desk.write(
      '.coffer/config.yaml',
      `${before}  rules: [{path: "web/**", recipients: [alice]}]\n  requiredRecipients: [recovery]\n`,
    );
    const made = JSON.parse(desk.coffer(['new', 'web/a', '--reader', 'web', '--json']));
    assert.deepEqual(made, { manifest: 'web/a', entries: [], recipients: ['alice', 'recovery'], file: 'web/a.yaml' });
    desk.write('.coffer/config.yaml', before);
  });

  test('-o - writes the manifest to standard output, and no file', () => {
    const text = desk.coffer([
      'new',
      'web/b',
      '--recipient',
      'alice',
      '--reader',
      'web',
      '--from-file',
      'key=db.env',
      '-o',
      '-',
    ]);
    assert.match(text, /^apiVersion: coffer\.dev\/v1$/m);
    assert.ok(!existsSync(join(desk.folder, 'web/b.yaml')));
    desk.write('from-pipe.yaml', text);
    assert.equal(desk.coffer(['get', 'from-pipe.yaml', 'key']), desk.read('db.env'));
  });

  test('takes a Kubernetes Secret with its type, and tells what it leaves out', () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'other', namespace: 'web', labels: { app: 'web' } },
      type: 'kubernetes.io/basic-auth',
      data: { password: Buffer.from(CANARY).toString('base64') },
    };
    const args = ['new', 'web/c', '--from-stdin', '--recipient', 'alice', '--reader', 'web'];
    const { status, stderr } = desk.try(args, { input: JSON.stringify(secret) });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /the Secret is named web\/other/);
    assert.match(stderr, /metadata\.labels/);
    assert.match(desk.read('web/c.yaml'), /^ {2}type: "?kubernetes\.io\/basic-auth"?$/m);
    assert.equal(desk.coffer(['get', 'web/c.yaml', 'password']), CANARY);
  });

  test('a certificate has to be one, with its own key', () => {
    certificate('one');
    certificate('two');
    const args = [
      'new',
      'web/tls',
      '--type',
      'tls',
      '--recipient',
      'alice',
      '--reader',
      'web',
      '--from-file',
      'tls.crt=one.crt',
    ];
    const cases: [string[], string | undefined][] = [
      [[], 'needs tls.key'],
      [['--from-file', 'tls.key=two.key'], 'is not for the key'],
      [['--from-file', 'tls.key=one.crt'], 'is not a private key'],
      [['--from-file', 'tls.key=one.key'], undefined],
    ];
    for (const [more, refusal] of cases) {
      const { status, stderr } = desk.try([...args, ...more]);
      assert.equal(status, refusal === undefined ? 0 : 3, stderr);
      if (refusal !== undefined)
        assert.ok(stderr.startsWith('error SECRET_TYPE: ') && stderr.includes(refusal), stderr);
    }
    assert.match(desk.read('web/tls.yaml'), /^ {2}type: "?kubernetes\.io\/tls"?$/m);
  });

  test('a docker configuration has to have its shape', () => {
    desk.write('docker.json', '{"auths": {"registry.example": {"auth": "YTpi"}}}');
    const args = ['--type', 'dockerconfigjson', '--recipient', 'alice', '--reader', 'web'];
    const bad = desk.try(['new', 'web/d', ...args, '--from-file', '.dockerconfigjson=db.env']);
    assert.deepEqual([bad.status, bad.stderr.split(':')[0]], [3, 'error SECRET_TYPE']);
    assert.ok(!bad.stderr.includes(CANARY));
    desk.coffer(['new', 'web/d', ...args, '--from-file', '.dockerconfigjson=docker.json']);
  });

  const refused: [string, string[], string][] = [
    ['a name without a namespace', ['db'], 'NEW_NAME'],
    ['a name that is a path', ['../x/y'], 'NEW_NAME'],
    ['--from-file without an entry', ['web/x', '--from-file', 'db.env'], 'INPUT_FROM_FILE'],
    [
      'an entry from two sources',
      ['web/x', '--from-env-file', 'db.env', '--from-file', 'PASSWORD=db.env'],
      'INPUT_ENTRY_TWICE',
    ],
    ['a reader that can be none', ['web/x', '--reader', 'Web_API'], 'READER_ARGUMENT'],
  ];
  for (const [what, args, code] of refused) {
    test(`refuses ${what}`, () => {
      const { status, stderr } = desk.try(['new', ...args, '--recipient', 'alice']);
      assert.deepEqual([status, stderr.split(':')[0]], [2, `error ${code}`]);
      assert.ok(!existsSync(join(desk.folder, 'web/x.yaml')));
    });
  }

  test('the words of NAMESPACE/NAME are checked by the format, not made to fit', () => {
    for (const name of ['Payments/db', 'payments/DB', 'pay_ments/db']) {
      const { status } = desk.try(['new', name, '--recipient', 'alice', '-o', 'odd.yaml']);
      assert.notEqual(status, 0, name);
    }
    assert.ok(!existsSync(join(desk.folder, 'odd.yaml')));
  });
});
