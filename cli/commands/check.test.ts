import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { manifestText } from '../../test/check/memory-repository.ts';
import { Desk } from '../../test/cli/desk.ts';

const CANARY = 'canary-7f3a9c';
const plaintext = (name: string) => manifestText({ name, recipients: ['production'], data: { password: CANARY } });

let desk: Desk;

before(() => {
  desk = new Desk();
  desk.coffer(['init']);
  desk.coffer(['recipients', 'create', 'production', '--type', 'cluster']);
  desk.write('apps/good.yaml', plaintext('good'));
  desk.coffer(['encrypt', 'apps/good.yaml']);
  desk.commit('Start');
});

after(() => desk.remove());

describe('coffer check', () => {
  test('says that nothing was found, exit code 0, from any folder of the repository', () => {
    for (const cwd of [desk.folder, join(desk.folder, 'apps')]) {
      const { status, stdout, stderr } = desk.try(['check'], { cwd });
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, /^Nothing found in 1 manifest in \d+ files\.\n$/);
    }
  });

  test('shows errors by file with place, rule and advice, exit code 1, and never a value', () => {
    desk.write('apps/bad.yaml', plaintext('bad'));
    const { status, stdout, stderr } = desk.try(['check']);
    assert.equal(status, 1);
    assert.equal(
      stdout.replace(/ in \d+ files/, ''),
      `apps/bad.yaml
  10     error   entry password is plaintext CHECK_PLAINTEXT
                 Run \`coffer encrypt apps/bad.yaml\`. If it was ever committed, replace the value itself.

1 error in 2 manifests.
`,
    );
    const json = desk.try(['check', '--json']);
    assert.equal(json.status, 1);
    assert.deepEqual(JSON.parse(json.stdout).findings[0].data, {
      file: 'apps/bad.yaml',
      namespace: 'payments',
      name: 'bad',
      line: 10,
      entry: 'password',
    });
    const sarif = desk.try(['check', '--sarif']);
    assert.equal(sarif.status, 1);
    assert.ok(![stdout, stderr, json.stdout, sarif.stdout].some((text) => text.includes(CANARY)));
    desk.run('rm', ['apps/bad.yaml']);
  });

  test('names files as they are reached from where one stands; for programs, from the root', () => {
    desk.write('apps/bad.yaml', plaintext('bad'));
    const cwd = join(desk.folder, 'apps');
    const { stdout } = desk.try(['check'], { cwd });
    assert.match(stdout, /^bad\.yaml\n/);
    assert.match(stdout, /Run `coffer encrypt bad\.yaml`/);
    const [found] = JSON.parse(desk.try(['check', '--json'], { cwd }).stdout).findings;
    assert.equal(found.data.file, 'apps/bad.yaml');
    assert.match(found.advice, /`coffer encrypt apps\/bad\.yaml`/);
    desk.run('rm', ['apps/bad.yaml']);
  });

  test('finds a configuration that cannot be read, and still checks the rest', () => {
    const config = desk.read('.coffer/config.yaml');
    desk.write('.coffer/config.yaml', 'kind: [');
    desk.write('apps/bad.yaml', plaintext('bad'));
    const { status, stdout } = desk.try(['check']);
    assert.equal(status, 1);
    assert.match(stdout, /^\.coffer\/config\.yaml\n[\s\S]*CONFIG_INVALID[\s\S]*CHECK_PLAINTEXT/);
    const sarif = desk.try(['check', '--sarif']);
    assert.deepEqual([sarif.status, JSON.parse(sarif.stdout).runs[0].results[0].ruleId], [1, 'CONFIG_INVALID']);
    assert.equal(desk.try(['check', '--json']).status, 1);
    desk.write('.coffer/config.yaml', config);
    desk.run('rm', ['apps/bad.yaml']);
  });

  test('passes with warnings alone, and fails on them with --strict', () => {
    desk.write('apps/idle.yaml', manifestText({ name: 'idle', recipients: ['production'], readers: '[]' }));
    desk.coffer(['encrypt', 'apps/idle.yaml']);
    assert.match(desk.coffer(['check', 'apps']), /^1 warning in 2 manifests/m);
    assert.equal(desk.try(['check', 'apps', '--strict']).status, 1);
    assert.match(desk.coffer(['check', 'apps/good.yaml', '--strict']), /^Nothing found in 1 manifest in 1 file\.$/m);
    desk.run('rm', ['apps/idle.yaml']);
  });

  test('refuses a path that is not there or not in the repository, exit code 2', () => {
    for (const [path, code] of [
      ['apps/god.yaml', 'PATH_UNKNOWN'],
      ['../elsewhere.yaml', 'PATH_OUTSIDE'],
    ] as const) {
      const { status, stderr } = desk.try(['check', 'apps/good.yaml', path]);
      assert.equal(status, 2);
      assert.match(stderr, new RegExp(code));
    }
  });

  test('outside of a repository says so, exit code 3', () => {
    const { status, stderr } = desk.try(['check'], { cwd: desk.home });
    assert.equal(status, 3);
    assert.match(stderr, /REPOSITORY_NOT_FOUND/);
  });

  test('leaves alone what git ignores', () => {
    desk.write('.gitignore', 'local/\n');
    desk.write('local/notes.yaml', plaintext('notes'));
    assert.match(desk.coffer(['check']), /^Nothing found/);
  });

  test('checks every file where there is no git', () => {
    desk.write('.gitignore', 'apps/\nlocal/\n');
    desk.git('rm', '--quiet', '--cached', '-r', 'apps');
    assert.match(desk.coffer(['check']), /^Nothing found in 0 manifests/);
    const { status, stdout } = desk.try(['check', 'apps'], { env: { PATH: '/nowhere' } });
    assert.deepEqual([status, stdout], [0, 'Nothing found in 1 manifest in 1 file.\n']);
    desk.write('.gitignore', 'local/\n');
    desk.git('reset', '--quiet', '--hard');
  });

  test('finds links that lead out of the repository', () => {
    symlinkSync('../../elsewhere.yaml', join(desk.folder, 'apps', 'link.yaml'));
    assert.match(desk.try(['check', 'apps']).stdout, /CHECK_SYMLINK/);
    desk.run('rm', ['apps/link.yaml']);
  });
});

describe('keys of recipients', () => {
  const file = '.coffer/recipients/production.yaml';

  test('that go back in status are found against the last commit when staged, and against the history ever after', () => {
    const there = desk.read(file);
    desk.write(file, there.replace('status: active', 'status: revoked'));
    desk.commit('The key was stolen');
    assert.doesNotMatch(desk.try(['check']).stdout, /CHECK_KEY_/);
    desk.write(file, there);
    desk.git('add', file);
    assert.match(
      desk.try(['check', '--staged']).stdout,
      /production is active, and was revoked .*CHECK_KEY_STATUS_BACK$/m,
    );
    desk.commit('By the thief');
    desk.write('README.md', 'More');
    desk.commit('By somebody');
    const { status, stdout } = desk.try(['check', 'apps']);
    assert.equal(status, 1);
    assert.match(stdout, /CHECK_KEY_STATUS_BACK/);
    desk.git('reset', '--quiet', '--hard', 'HEAD~3');
  });
});

describe('coffer check --staged', () => {
  test('judges what is in the index, not what is in the working tree', () => {
    desk.write('apps/staged.yaml', plaintext('staged'));
    desk.git('add', 'apps/staged.yaml');
    desk.coffer(['encrypt', 'apps/staged.yaml']);
    const refused = desk.try(['check', '--staged']);
    assert.match(refused.stdout, /CHECK_PLAINTEXT/);
    assert.match(refused.stderr, /`git add`/);
    desk.git('add', 'apps/staged.yaml');
    desk.write('apps/staged.yaml', plaintext('staged'));
    assert.match(desk.coffer(['check', '--staged']), /^Nothing found in 1 manifest in 1 file\.$/m);
    desk.git('rm', '--quiet', '--force', '--', 'apps/staged.yaml');
  });

  test('looks at changed files only, until the keyring changes', () => {
    desk.write('apps/old.yaml', plaintext('old'));
    desk.commit('A mistake of long ago');
    desk.write('README.md', 'Secrets');
    desk.git('add', 'README.md');
    assert.match(desk.coffer(['check', '--staged']), /^Nothing found in 0 manifests in 1 file\.$/m);
    desk.write('.coffer/NOTES.md', 'Who is who');
    desk.git('add', '.coffer');
    assert.match(desk.try(['check', '--staged']).stdout, /apps\/old\.yaml/);
    desk.git('rm', '--quiet', '--force', '--', 'apps/old.yaml', '.coffer/NOTES.md', 'README.md');
    desk.commit('Mended');
  });

  test('is what the hook of init runs: git commits no plaintext', () => {
    desk.installCoffer();
    desk.write('apps/hasty.yaml', plaintext('hasty'));
    desk.git('add', 'apps/hasty.yaml');
    const refused = desk.run('git', ['commit', '--message', 'In a hurry']);
    assert.notEqual(refused.status, 0);
    assert.match(refused.stdout + refused.stderr, /CHECK_PLAINTEXT/);
    desk.coffer(['encrypt', 'apps/hasty.yaml']);
    // `commit -a` gives hooks an index of its own.
    desk.git('commit', '--quiet', '--all', '--message', 'Sealed');
    desk.write('apps/good.yaml', plaintext('good'));
    assert.notEqual(desk.run('git', ['commit', '--all', '--message', 'In a hurry again']).status, 0);
    desk.git('checkout', '--', 'apps/good.yaml');
  });
});
