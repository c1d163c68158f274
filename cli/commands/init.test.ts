import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';

let desk: Desk;
beforeEach(() => {
  desk = new Desk();
});
afterEach(() => desk.remove());

describe('coffer init', () => {
  test('sets up the repository, from any folder in it', () => {
    mkdirSync(join(desk.folder, 'deep/inside'), { recursive: true });
    const { status, stderr } = desk.try(['init'], { cwd: join(desk.folder, 'deep/inside') });
    assert.equal(status, 0, stderr);
    assert.match(desk.read('.coffer/config.yaml'), /^ {2}repository: "[A-Za-z0-9_-]{22}"$/m);
    assert.ok(existsSync(join(desk.folder, '.coffer/recipients')));
    assert.equal(
      desk.read('.gitattributes'),
      '*.yaml diff=coffer merge=coffer\n*.yml diff=coffer merge=coffer\n*.ejson diff=coffer\n',
    );
    assert.equal(desk.git('config', 'diff.coffer.textconv'), 'coffer diff --textconv\n');
    assert.equal(desk.git('config', 'merge.coffer.driver'), 'coffer resolve --driver %O %A %B %P\n');
    assert.equal(statSync(join(desk.folder, '.git/hooks/pre-commit')).mode & 0o111, 0o111);
  });

  test('a second run changes nothing, and what people added stays', () => {
    desk.write('.gitattributes', '*.png binary');
    desk.coffer(['init']);
    assert.match(desk.read('.gitattributes'), /^\*\.png binary\n\*\.yaml /);
    const files = ['.coffer/config.yaml', '.gitattributes', '.git/config', '.git/hooks/pre-commit'];
    const before = files.map((file) => desk.read(file));
    const { steps, warnings } = JSON.parse(desk.coffer(['init', '--json']));
    assert.deepEqual(warnings, []);
    assert.ok(steps.every((step: { changed: boolean }) => !step.changed));
    assert.deepEqual(
      files.map((file) => desk.read(file)),
      before,
    );
  });

  test('each repository gets an id of its own', () => {
    const other = new Desk();
    desk.coffer(['init']);
    other.coffer(['init']);
    assert.notEqual(desk.read('.coffer/config.yaml'), other.read('.coffer/config.yaml'));
    other.remove();
  });

  test('--path limits where manifests are looked for, and what git hands to coffer', () => {
    desk.coffer(['init', '--path', 'secrets/**', '--path', 'more secrets/*.yaml']);
    assert.match(desk.read('.coffer/config.yaml'), /^ {2}include: \["secrets\/\*\*", "more secrets\/\*\.yaml"\]$/m);
    assert.equal(
      desk.read('.gitattributes'),
      'secrets/** diff=coffer merge=coffer\n"more secrets/*.yaml" diff=coffer merge=coffer\n*.ejson diff=coffer\n',
    );
  });

  test('a pre-commit hook of somebody else is not touched: the line to add is told', () => {
    desk.write('.git/hooks/pre-commit', '#!/bin/sh\necho theirs\n');
    const { status, stderr } = desk.try(['init']);
    assert.equal(status, 0);
    assert.match(stderr, /warning: there is a pre-commit hook already .*: coffer check --staged/);
    assert.equal(desk.read('.git/hooks/pre-commit'), '#!/bin/sh\necho theirs\n');
  });

  test('where core.hooksPath points, nothing is written', () => {
    desk.git('config', 'core.hooksPath', '../hooks');
    const { status, stderr } = desk.try(['init']);
    assert.equal(status, 0);
    assert.match(stderr, /core\.hooksPath is set/);
    assert.ok(!existsSync(join(desk.home, 'hooks')));
    assert.ok(!existsSync(join(desk.folder, '.git/hooks/pre-commit')));
  });

  test('a driver that is set to something else stays, and is told', () => {
    desk.git('config', 'diff.coffer.textconv', 'mine');
    assert.match(desk.try(['init']).stderr, /diff\.coffer\.textconv is "mine"/);
    assert.equal(desk.git('config', 'diff.coffer.textconv'), 'mine\n');
  });

  test('works in a linked worktree', () => {
    desk.write('a', '');
    desk.commit('first');
    desk.git('worktree', 'add', '--quiet', '../linked');
    const { status, stderr } = desk.try(['init'], { cwd: join(desk.home, 'linked') });
    assert.equal(status, 0, stderr);
    assert.ok(readFileSync(join(desk.home, 'linked/.coffer/config.yaml')).length > 0);
  });

  test('outside of git it says so and makes nothing', () => {
    const { status, stderr } = desk.try(['init'], { cwd: desk.home });
    assert.equal(status, 3);
    assert.match(stderr, /^error INIT_NOT_GIT: /);
    assert.ok(!existsSync(join(desk.home, '.coffer')));
  });

  test('the hook refuses a commit with plaintext, and lets sealed values through', () => {
    desk.installCoffer();
    desk.coffer(['init']);
    desk.coffer(['recipients', 'create', 'alice', '--type', 'person']);
    desk.write(
      'db.yaml',
      'apiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: payments}\n' +
        'spec:\n  recipients: [alice]\n  readers: [{name: api}]\n  data:\n    password: hunter2\n',
    );
    desk.git('add', '--all');
    const refused = desk.run('git', ['commit', '--message', 'plaintext']);
    assert.equal(refused.status, 1, refused.stderr);
    assert.ok(!`${refused.stdout}${refused.stderr}`.includes('hunter2'));
    desk.coffer(['encrypt', 'db.yaml']);
    desk.git('add', '--all');
    const committed = desk.run('git', ['commit', '--message', 'sealed']);
    assert.equal(committed.status, 0, committed.stderr + committed.stdout);
  });
});
