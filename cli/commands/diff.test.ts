import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { manifestText } from '../../test/check/memory-repository.ts';
import { Desk } from '../../test/cli/desk.ts';

const FILE = 'apps/db.yaml';
const OLD = 'canary-old-1f';
const NEW = 'canary-new-2e';

let desk: Desk;

/** main: a manifest. v2: another password, a reader more. Working tree: a recipient less, and a new file. */
before(() => {
  desk = new Desk();
  desk.installCoffer();
  desk.coffer(['init']);
  for (const name of ['ada', 'bob']) desk.coffer(['recipients', 'create', name, '--type', 'person']);
  desk.write(FILE, manifestText({ recipients: ['ada', 'bob'], data: { password: OLD, username: 'app' } }));
  desk.coffer(['encrypt', FILE]);
  desk.commit('Start');
  desk.git('tag', 'v1');
  desk.coffer(['set', FILE, 'password'], NEW);
  desk.coffer(['grant', FILE, 'reports=username']);
  desk.commit('Change');
  desk.git('tag', 'v2');
  desk.coffer(['rewrap', FILE, '--remove', 'bob']);
  desk.write('apps/new.yaml', manifestText({ name: 'new', recipients: ['ada'], data: { a: OLD } }));
});

after(() => desk.remove());

const V1_TO_V2 = `apps/db.yaml
  payments/payments-db
    + reader reports (username)
    ~ entry password
`;

describe('coffer diff', () => {
  test('compares the working tree with HEAD, new files too', () => {
    assert.equal(
      desk.coffer(['diff']),
      `apps/db.yaml
  payments/payments-db
    - recipient bob

apps/new.yaml
  payments/new
    + manifest
    + recipient ada
    + reader payments-api (all)
    + entry a
`,
    );
  });

  test('compares two revisions, as two words or with dots, and one with the working tree', () => {
    assert.equal(desk.coffer(['diff', 'v1', 'v2']), V1_TO_V2);
    for (const range of ['v1..v2', 'v1...v2']) assert.equal(desk.coffer(['diff', range]), V1_TO_V2);
    assert.match(desk.coffer(['diff', 'v1', '--', FILE]), /recipient bob[\s\S]*reader reports[\s\S]*entry password/);
    assert.equal(desk.coffer(['diff', 'v2', 'v2']), 'No manifest, recipient or configuration changed.\n');
  });

  test('takes paths from the working directory, and compares the index with --staged', () => {
    const { stdout } = desk.try(['diff', 'v1', 'v2', 'db.yaml'], { cwd: join(desk.folder, 'apps') });
    assert.equal(stdout, V1_TO_V2);
    assert.equal(desk.coffer(['diff', '--staged']), 'No manifest, recipient or configuration changed.\n');
  });

  test('shows a moved file as that', () => {
    desk.git('mv', FILE, 'apps/moved.yaml');
    assert.match(desk.coffer(['diff', '--staged']), /^apps\/moved\.yaml\n {2}moved from apps\/db\.yaml\n$/);
    desk.git('mv', 'apps/moved.yaml', FILE);
  });

  test('shows values with --reveal only, in --json too', () => {
    for (const json of [[], ['--json']]) {
      const plain = desk.coffer(['diff', 'v1', 'v2', ...json]);
      assert.ok(!plain.includes('canary'), plain);
      const revealed = desk.coffer(['diff', 'v1', 'v2', '--reveal', ...json]);
      assert.ok(revealed.includes(OLD) && revealed.includes(NEW), revealed);
    }
    assert.equal(
      desk.coffer(['diff', 'v1', 'v2', '--reveal']),
      V1_TO_V2.replace('entry password\n', `entry password\n        - "${OLD}"\n        + "${NEW}"\n`),
    );
  });

  test('tells a value that was sealed again from one that changed, with --reveal', () => {
    const text = desk.read(FILE);
    desk.coffer(['set', FILE, 'password'], NEW);
    assert.match(desk.coffer(['diff', FILE, '--reveal']), /the same value, sealed again/);
    desk.write(FILE, text);
  });

  test('--reveal without a key is an error, exit code 3', () => {
    const { status, stdout } = desk.try(['diff', 'v1', 'v2', '--reveal', '--key-dir', join(desk.home, 'nothing')]);
    assert.equal(status, 3);
    assert.equal(stdout, '');
  });

  test('--exit-code answers whether something changed', () => {
    assert.equal(desk.try(['diff', 'v1', 'v2', '--exit-code']).status, 1);
    assert.equal(desk.try(['diff', 'v2', 'v2', '--exit-code']).status, 0);
  });

  test('says of a version that cannot be read that it was not compared', () => {
    const text = desk.read(FILE);
    desk.write(FILE, text.replace('spec:', 'sepc:'));
    assert.match(desk.coffer(['diff', FILE]), /not compared: .* DOCUMENT_/);
    desk.write(FILE, text);
  });

  test('refuses what is neither a revision nor a path, or both, exit code 2', () => {
    for (const args of [['v3'], ['nowhere/file.yaml'], ['v1', 'v2', 'v1']]) {
      const { status, stderr } = desk.try(['diff', ...args]);
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, /DIFF_ARGUMENT/);
    }
    desk.write('v1', '');
    assert.match(desk.try(['diff', 'v1']).stderr, /a revision and a path/);
    assert.equal(desk.try(['diff', '--', 'v1']).status, 0);
  });
});

describe('coffer diff of the keyring and the configuration', () => {
  let other: Desk;

  before(() => {
    other = new Desk();
    other.coffer(['init']);
    for (const name of ['ada', 'bob']) other.coffer(['recipients', 'create', name, '--type', 'person']);
    other.commit('Start');
  });

  after(() => other.remove());

  test('shows a recipient that is new, gone or has another identity, each under its own name', () => {
    const kept = other.read('.coffer/recipients/ada.yaml');
    const impostor = new Desk();
    impostor.coffer(['init']);
    impostor.coffer(['recipients', 'create', 'ada', '--type', 'person']);
    other.write('.coffer/recipients/ada.yaml', impostor.read('.coffer/recipients/ada.yaml'));
    impostor.remove();
    other.git('rm', '--quiet', '.coffer/recipients/bob.yaml');
    other.coffer(['recipients', 'create', 'production', '--type', 'cluster']);
    other.git('add', '--all');

    const shown = other.coffer(['diff', '--staged']);
    assert.match(shown, /^ {2}ada\n {4}~ identity \(\S+ → \S+\)\n {6}Look twice: /m);
    assert.match(shown, /^ {2}bob\n {4}- recipient$/m);
    assert.match(
      shown,
      /^ {2}production\n {4}\+ recipient\n {4}\+ type \(cluster\)\n {4}\+ identity .*\n {4}\+ key .*active/m,
    );
    const { files } = JSON.parse(other.coffer(['diff', '--json']));
    const identity = files[0].changes[0];
    assert.deepEqual([identity.recipient, identity.what, identity.change], ['ada', 'identity', 'changed']);
    assert.match(identity.warning, /owner/);
    other.write('.coffer/recipients/ada.yaml', kept);
  });

  test('shows rules, required recipients and, loudly, the id of the repository', () => {
    const id = /repository: "?([\w-]+)/.exec(other.read('.coffer/config.yaml'))?.[1] ?? '';
    const configuration = (spec: string) =>
      `apiVersion: coffer.dev/v1\nkind: Config\nmetadata: {name: repository}\nspec:\n${spec}`;
    other.write('.coffer/config.yaml', configuration(`  repository: "${id}"\n  requiredRecipients: [ada]\n`));
    other.commit('Require ada');
    other.write(
      '.coffer/config.yaml',
      configuration(`  repository: ${'A'.repeat(22)}\n  rules: [{path: "apps/**", recipients: [ada]}]\n`),
    );
    assert.equal(
      other.coffer(['diff']).replace(/Look twice: .*/, 'Look twice'),
      `.coffer/config.yaml
  configuration
    ~ repository (${id} → ${'A'.repeat(22)})
      Look twice
    - required recipient ada
    + rule apps/** (ada)
`,
    );
    assert.equal(other.try(['diff', '--exit-code']).status, 1);
  });

  test('says of a file of the keyring that cannot be read that it was not compared', () => {
    other.edit('.coffer/recipients/ada.yaml', 'type: person', 'type: nobody');
    const shown = other.coffer(['diff', '.coffer/recipients']);
    assert.match(shown, /ada\.yaml\n {2}not compared: /);
    assert.doesNotMatch(shown, /recipient$/m);
  });
});

describe('coffer diff --textconv', () => {
  test('is what git shows: no ciphertext, and every other change', () => {
    desk.write('.gitattributes', '*.yaml diff=coffer\n');
    desk.git('config', 'diff.coffer.textconv', 'coffer diff --textconv');
    const shown = desk.git('diff', 'v1', 'v2', '--', FILE);
    assert.match(shown, /^\+ {2}readers: .*name: reports/m);
    assert.match(shown, /^- {4}password: "CF\[\S{8} [0-9a-f]{8}\]"$/m);
    assert.ok(Math.max(...shown.split('\n').map((line) => line.length)) < 100, shown);
  });

  test('works outside of a repository, and leaves other bytes as they are', () => {
    const bytes = Buffer.from('caf\xe9 \u0000 plain\n', 'latin1');
    desk.run('sh', ['-c', "printf 'caf\\351 \\000 plain\\n' > ../odd.bin"]);
    const { status, stdout } = desk.run('sh', ['-c', 'coffer diff --textconv odd.bin | od -An -tx1'], {
      cwd: desk.home,
    });
    assert.equal(status, 0);
    assert.equal(stdout.replaceAll(/\s/g, ''), bytes.toString('hex'));
  });
});
