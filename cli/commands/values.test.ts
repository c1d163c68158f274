import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';

const CANARY = 'hunter2-canary';

const desk = new Desk();
after(() => desk.remove());
desk.coffer(['init']);
desk.coffer(['recipients', 'create', 'alice', '--type', 'person']);
desk.coffer(['recipients', 'create', 'production', '--type', 'cluster', '--key-dir', '../production-keys']);

const FILE = 'payments/db.yaml';

function manifest(name: string, data: string, extra = ''): string {
  return `# kept\napiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: ${name}, namespace: payments}\nspec:
  recipients: [production, alice] # who
  readers: [{name: api}]
${extra}  data:
${data}`;
}

const PLAIN = manifest('db', `    username: admin\n    password: "${CANARY}"\n    pem: |\n      one\n      two\n`);

/** The lines of a file without those that sealing may change: values and what stands under `keys`. */
function otherLines(text: string): string[] {
  return text.split('\n').filter((line) => !/CF\[1:|^ {4,}"|^ {4}#|^ {2}keys:|^ {6}\w+: "/.test(line));
}

beforeEach(() => {
  desk.write(FILE, PLAIN);
});

describe('coffer encrypt', () => {
  test('seals every plaintext value and no other byte; a second run changes nothing', () => {
    const sealed = JSON.parse(desk.coffer(['encrypt', FILE, '--json']));
    assert.deepEqual(sealed, { files: [{ file: FILE, sealed: ['username', 'password', 'pem'] }], errors: [] });
    const text = desk.read(FILE);
    assert.ok(!text.includes(CANARY));
    assert.deepEqual(
      otherLines(text),
      otherLines(PLAIN).filter((line) => !/admin|canary|pem|one|two/.test(line)),
    );
    assert.equal(desk.coffer(['encrypt', FILE]), `${FILE}: nothing to seal\n`);
    assert.equal(desk.read(FILE), text);
  });

  test('takes many files: a bad one is told and left, the others are sealed', () => {
    desk.write('bad.yaml', manifest('bad', '    port: 5432\n'));
    desk.write('none.yaml', 'kind: Secret\nstringData: {a: b}\n');
    const { status, stdout } = desk.try([
      'encrypt',
      'bad.yaml',
      'none.yaml',
      'missing.yaml',
      FILE,
      `./${FILE}`,
      '--json',
    ]);
    assert.equal(status, 3);
    const { files, errors } = JSON.parse(stdout);
    assert.deepEqual(
      files.map(({ file }: { file: string }) => file),
      [FILE],
    );
    assert.deepEqual(
      errors.map((error: { data: { file?: string; path?: string } }) => error.data.file ?? error.data.path),
      ['bad.yaml', 'none.yaml', 'missing.yaml'],
    );
    assert.equal(desk.read('bad.yaml'), manifest('bad', '    port: 5432\n'));
  });

  test('seals ejson files too', () => {
    const publicKey = `${'0'.repeat(62)}09`;
    desk.write('a.ejson', `{"_public_key": "${publicKey}", "password": "${CANARY}"}\n`);
    desk.coffer(['encrypt', 'a.ejson']);
    assert.match(desk.read('a.ejson'), /^\{"_public_key": "0+9", "password": "EJ\[1:[^"]+"\}\n$/);
  });

  test('warns of values that are probably not meant, and checks certificates', () => {
    desk.write(FILE, manifest('db', '    password: |\n      oops\n'));
    assert.match(desk.try(['encrypt', FILE]).stderr, /^warning: payments\/db\.yaml: password ends with a line end/);
    desk.write(FILE, manifest('db', '    tls.crt: none\n', '  type: kubernetes.io/tls\n'));
    const { status, stderr } = desk.try(['encrypt', FILE]);
    assert.deepEqual([status, stderr.split(':')[0]], [3, 'error SECRET_TYPE']);
  });

  test('without a terminal, a recipient that nobody confirmed is refused and nothing is changed', () => {
    const env = { HOME: join(desk.home, 'bob') };
    const { status, stderr } = desk.try(['encrypt', FILE], { env });
    assert.deepEqual([status, stderr.split(':')[0]], [3, 'error RECIPIENT_UNPINNED']);
    assert.equal(desk.read(FILE), PLAIN);
  });

  test('an unknown recipient, and a broken file of the keyring, are told apart', () => {
    desk.write(FILE, PLAIN.replace('alice]', 'nobody]'));
    assert.match(desk.try(['encrypt', FILE]).stderr, /^error RECIPIENT_UNKNOWN: /);
    desk.write('.coffer/recipients/broken.yaml', 'apiVersion: coffer.dev/v1\nkind: Recipient\n');
    desk.write(FILE, PLAIN.replace('alice]', 'broken]'));
    assert.match(
      desk.try(['encrypt', FILE]).stderr,
      /^error (?!RECIPIENT_UNKNOWN).*\n {2}\.coffer\/recipients\/broken\.yaml/,
    );
    desk.run('rm', ['.coffer/recipients/broken.yaml']);
  });
});

describe('coffer set, unset and get', () => {
  test('set needs no secret key, changes only its own lines, and get gives the bytes back', () => {
    desk.coffer(['encrypt', FILE]);
    const before = desk.read(FILE);
    const env = { COFFER_KEY_DIR: join(desk.home, 'no-keys') };
    const bytes = 'line one\r\nline two \u0000\u00e9\n';
    const set = desk.try(['set', FILE, 'password'], { input: bytes, env });
    assert.equal(set.status, 0, set.stderr);
    assert.deepEqual(otherLines(desk.read(FILE)), otherLines(before));
    assert.equal(desk.coffer(['get', FILE, 'password']), bytes);
    assert.equal(desk.coffer(['get', FILE, 'username', '--key-dir', '../production-keys']), 'admin');
    assert.equal(JSON.parse(desk.coffer(['get', FILE, 'username', '--json'])).base64, 'YWRtaW4=');
  });

  test('set adds an entry from a file or a generator, and shows neither', () => {
    desk.coffer(['encrypt', FILE]);
    desk.write('value', CANARY);
    const added = desk.try(['set', FILE, 'token', '--from-file', 'value']);
    assert.deepEqual([added.status, added.stdout], [0, `added token in ${FILE}, sealed to production, alice\n`]);
    const made = desk.try(['set', FILE, 'key', '--generate', 'hex:16']);
    assert.equal(made.status, 0);
    const value = desk.coffer(['get', FILE, 'key']);
    assert.match(value, /^[0-9a-f]{32}$/);
    for (const output of [added.stdout, added.stderr]) assert.ok(!output.includes(CANARY));
    for (const output of [made.stdout, made.stderr]) assert.ok(!output.includes(value));
  });

  test('unset removes the entry and the stanzas that nothing needs, without any key', () => {
    desk.coffer(['encrypt', FILE]);
    const before = desk.read(FILE);
    desk.coffer(['set', FILE, 'token'], CANARY);
    desk.coffer(['unset', FILE, 'token']);
    assert.equal(desk.read(FILE), before);
    const unknown = desk.try(['unset', FILE, 'token']);
    assert.equal(unknown.status, 3);
  });

  test('an edit that leaves a template without its entry changes nothing', () => {
    desk.write(FILE, manifest('db', '    password: x\n', '  template: {data: {URL: "db://${password}"}}\n'));
    desk.coffer(['encrypt', FILE]);
    const before = desk.read(FILE);
    assert.equal(desk.coffer(['get', FILE, 'URL']), 'db://x');
    assert.notEqual(desk.try(['unset', FILE, 'password']).status, 0);
    assert.equal(desk.read(FILE), before);
  });

  test('several manifests in a file: --document says which', () => {
    desk.write(FILE, `${manifest('a', '    x: one\n')}---\n${manifest('b', '    x: two\n')}`);
    desk.coffer(['encrypt', FILE]);
    const unclear = desk.try(['get', FILE, 'x']);
    assert.deepEqual([unclear.status, unclear.stderr.split(':')[0]], [2, 'error DOCUMENT_AMBIGUOUS']);
    assert.equal(desk.coffer(['get', FILE, 'x', '--document', 'payments/b']), 'two');
    desk.coffer(['set', FILE, 'x', '--document', 'payments/b'], 'three');
    assert.equal(desk.coffer(['get', FILE, 'x', '--document', 'payments/a']), 'one');
    assert.equal(desk.coffer(['get', FILE, 'x', '--document', 'payments/b']), 'three');
  });

  test('paths are relative to where one stands, in the repository and outside', () => {
    desk.coffer(['encrypt', FILE]);
    const inside = desk.try(['set', 'db.yaml', 'x'], { cwd: join(desk.folder, 'payments'), input: 'y' });
    assert.equal(inside.status, 0, inside.stderr);
    const outside = desk.try(['get', `secrets/${FILE}`, 'x'], { cwd: desk.home });
    assert.deepEqual([outside.status, outside.stdout], [0, 'y']);
  });

  test('outside of a repository, --as says whose keys these are', () => {
    desk.coffer(['encrypt', FILE]);
    desk.write('../alone.yaml', desk.read(FILE));
    const unsaid = desk.try(['get', '../alone.yaml', 'username']);
    assert.deepEqual([unsaid.status, unsaid.stderr.split(':')[0]], [2, 'error KEYS_OWNER_UNKNOWN']);
    assert.equal(desk.coffer(['get', '../alone.yaml', 'username', '--as', 'alice']), 'admin');
  });

  test('without a key, or with others’ keys, it says what is missing', () => {
    desk.coffer(['encrypt', FILE]);
    const none = desk.try(['get', FILE, 'username', '--key-dir', 'nowhere']);
    assert.deepEqual([none.status, none.stderr.split(':')[0]], [3, 'error KEYS_NONE']);
    const open = desk.try(['get', FILE, 'nothing']);
    assert.deepEqual([open.status, open.stderr.split(':')[0]], [2, 'error MANIFEST_ENTRY_UNKNOWN']);
    const key = readdirSync(desk.keys).find((file) => file.endsWith('.key')) ?? '';
    chmodSync(join(desk.keys, key), 0o644);
    const readable = desk.try(['get', FILE, 'username']);
    chmodSync(join(desk.keys, key), 0o600);
    assert.equal(readable.status, 3, 'a key that others can read is refused');
    assert.match(readable.stderr, /chmod 600/);
  });
});

describe('coffer decrypt', () => {
  test('gives the document in plaintext, which encrypts again', () => {
    desk.coffer(['encrypt', FILE]);
    const text = desk.coffer(['decrypt', FILE]);
    assert.equal(text, PLAIN.replace('admin', '"admin"'));
    desk.write('again.yaml', text);
    desk.coffer(['encrypt', 'again.yaml']);
    assert.equal(desk.coffer(['get', 'again.yaml', 'password']), CANARY);
  });

  test('-o makes a file for its owner alone, replaces none, and warns inside of a repository', () => {
    desk.coffer(['encrypt', FILE]);
    const outside = desk.try(['decrypt', FILE, '-o', '../plain.yaml']);
    assert.deepEqual([outside.status, outside.stdout], [0, '']);
    assert.doesNotMatch(outside.stderr, /warning/);
    assert.equal(statSync(join(desk.home, 'plain.yaml')).mode & 0o777, 0o600);
    const again = desk.try(['decrypt', FILE, '-o', '../plain.yaml']);
    assert.deepEqual([again.status, again.stderr.split(':')[0]], [3, 'error DECRYPT_OUTPUT_EXISTS']);
    chmodSync(join(desk.home, 'plain.yaml'), 0o644);
    desk.coffer(['decrypt', FILE, '-o', '../plain.yaml', '--force']);
    assert.equal(statSync(join(desk.home, 'plain.yaml')).mode & 0o777, 0o600);
    assert.match(
      desk.try(['decrypt', FILE, '-o', 'plain.yaml']).stderr,
      /^warning: plain\.yaml is inside of a repository/,
    );
    assert.equal(
      readFileSync(join(desk.folder, 'plain.yaml'), 'utf8'),
      readFileSync(join(desk.home, 'plain.yaml'), 'utf8'),
    );
  });
});
