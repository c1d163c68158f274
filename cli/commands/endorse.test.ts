import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';
import { SigningKey } from '../../test/cli/signing.ts';

let blank: Desk;
let desk: Desk;

const MANIFEST = 'payments/db.yaml';
const head = (revision = 'HEAD') => desk.git('rev-parse', revision).trim();
const requestOf = (commit: string) => `.coffer/requests/endorse-${commit.slice(0, 16)}.yaml`;

before(() => {
  blank = new Desk();
  blank.coffer(['init', '--no-hook']);
  blank.coffer(['recipients', 'create', 'production', '--type', 'cluster', '--key-dir', join(blank.home, 'keys')]);
  blank.coffer(
    ['new', 'payments/db', '--recipient', 'production', '--reader', 'api', '--from-env-file', '-', '-o', MANIFEST],
    'password=one\n',
  );
  blank.commit('Begin');
  new SigningKey(blank, 'ada');
});

beforeEach(() => {
  desk?.remove();
  desk = new Desk(blank);
  desk.git('config', 'gpg.format', 'ssh');
  desk.git('config', 'user.signingkey', join(desk.home, 'ada-signing-key.pub'));
});

after(() => {
  blank.remove();
  desk.remove();
});

describe('coffer endorse', () => {
  test('shows what the commit changes, and commits the request alone and signed, whatever git’s configuration says of signing', () => {
    desk.coffer(['grant', MANIFEST, 'reports']);
    desk.write('notes.txt', 'x');
    desk.commit('Let reports read it');
    const endorsed = head();
    desk.write('staged', 'x');
    desk.git('add', 'staged');

    const printed = desk.coffer(['endorse', endorsed.slice(0, 10)]);

    assert.match(printed, /\+ reader reports/);
    assert.match(printed, /Other files: notes\.txt/);
    assert.equal(desk.git('diff', '--name-only', 'HEAD~', 'HEAD').trim(), requestOf(endorsed));
    assert.match(desk.git('cat-file', 'commit', 'HEAD'), /^gpgsig -----BEGIN SSH SIGNATURE/m);
    assert.match(desk.read(requestOf(endorsed)), new RegExp(`  endorse:\n    commit: "${endorsed}"\n$`));
    assert.equal(desk.git('diff', '--cached', '--name-only').trim(), 'staged');
    desk.coffer(['check']);
  });

  test('tells of a manifest of which only stanzas changed as of one', () => {
    const stanza = / {6}production: "[^"]+"\n/.exec(desk.read(MANIFEST))?.[0] ?? '';
    const unused = `  keys:\n    "${'A'.repeat(32)}":\n${stanza}`;
    desk.edit(MANIFEST, '  keys:\n', unused);
    desk.commit('Add a stanza');
    const printed = desk.coffer(['endorse', 'HEAD']);
    assert.match(printed, /^Only stanzas, comments or layout: payments\/db\.yaml$/m);
    assert.doesNotMatch(printed, /No manifest|Other files/);
  });

  test('is asked again for the same commit, and gives it another signature', () => {
    const endorsed = head();
    desk.coffer(['endorse', endorsed]);
    desk.edit(requestOf(endorsed), /created: ".*"/, 'created: "2026-01-01T00:00:00Z"');
    desk.commit('Somebody else’s');
    const { commit } = JSON.parse(desk.coffer(['endorse', endorsed, '--json']));
    assert.equal(commit, head());
    assert.match(desk.git('cat-file', 'commit', 'HEAD'), /^gpgsig /m);
  });

  test('instead of a former branch gives up its commits, the newest first, and compares with it', () => {
    const start = head();
    desk.coffer(['grant', MANIFEST, 'reports']);
    desk.commit('Accepted once');
    desk.coffer(['grant', MANIFEST, 'audit']);
    desk.commit('Accepted at last');
    const former = [head(), head('HEAD~')];
    desk.git('reset', '--quiet', '--hard', start);

    const result = JSON.parse(desk.coffer(['endorse', 'HEAD', '--instead-of', former[0] ?? '', '--json']));

    assert.deepEqual(result.abandons, former);
    const [file] = result.changed.files;
    assert.deepEqual(
      file.changes.map(({ change, subject }: Record<string, string>) => `${change} ${subject}`).toSorted(),
      ['removed audit', 'removed reports'],
    );
  });

  test('gives up a commit that only operators have, and says that nobody can see it', () => {
    const gone = 'ab'.repeat(20);
    const { status, stderr } = desk.try(['endorse', 'HEAD', '--instead-of', gone]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /this clone does not have abab/);
    assert.match(desk.read(requestOf(head('HEAD~'))), new RegExp(`abandons:\n      - "${gone}"`));
  });

  test('leaves the commit to its user with --no-commit', () => {
    const before = head();
    const { stderr } = desk.try(['endorse', 'HEAD', '--no-commit']);
    assert.equal(head(), before);
    assert.match(stderr, /git commit --gpg-sign -- \.coffer\/requests\/endorse-/);
  });

  test('that cannot be signed is no commit, and says what to do', () => {
    desk.git('config', 'user.signingkey', join(desk.home, 'nobody.pub'));
    const before = head();
    const { status, stderr } = desk.try(['endorse', 'HEAD']);
    assert.equal(status, 3);
    assert.match(stderr, /ENDORSE_NOT_SIGNED[\s\S]*git commit --gpg-sign -- /);
    assert.equal(head(), before);
    assert.ok(existsSync(join(desk.folder, requestOf(before))));
  });

  const refused: [string, () => string[], string, number][] = [
    ['a commit that this clone does not have', () => ['0123456789'], 'ENDORSE_COMMIT_UNKNOWN', 2],
    ['what looks like an option of git', () => ['--', '--all'], 'ENDORSE_COMMIT_UNKNOWN', 2],
    ['a commit of another branch', () => [elsewhere()], 'ENDORSE_COMMIT_ELSEWHERE', 3],
    [
      'a commit instead of one that it descends from',
      () => ['HEAD', '--instead-of', 'HEAD'],
      'ENDORSE_NOTHING_GIVEN_UP',
      2,
    ],
    ['a former branch that it does not know', () => ['HEAD', '--instead-of', 'gone'], 'ENDORSE_COMMIT_UNKNOWN', 2],
  ];
  for (const [what, args, code, exit] of refused) {
    test(`refuses ${what}, and writes nothing`, () => {
      const { status, stderr } = desk.try(['endorse', ...args()]);
      assert.match(stderr, new RegExp(code));
      assert.equal(status, exit);
      assert.equal(desk.git('status', '--porcelain'), '');
    });
  }
});

function elsewhere(): string {
  desk.git('checkout', '--quiet', '-b', 'other');
  desk.write('x', 'x');
  desk.commit('Elsewhere');
  const commit = head();
  desk.git('checkout', '--quiet', 'main');
  return commit;
}
