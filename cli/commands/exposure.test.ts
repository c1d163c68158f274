import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';

/** Git takes angle brackets out of names, and coffer control characters of paths. */
const NAME = 'Mallory \u001b[31m"&\'';
const FILE = '<script>alert(1)<b>.yaml';

let desk: Desk;
before(() => {
  desk = new Desk();
  desk.coffer(['init', '--no-hook']);
  for (const [name, type] of [
    ['production', 'cluster'],
    ['laptop', 'person'],
  ] as const) {
    desk.coffer(['recipients', 'create', name, '--type', type]);
  }
  desk.commit('Begin');
  desk.git('config', 'user.name', NAME);
  desk.coffer(['new', 'payments/db', '--recipient', 'production', '--recipient', 'laptop', '-o', FILE]);
  desk.coffer(['set', FILE, 'password'], 'canary-one');
  desk.coffer(['set', FILE, 'user'], 'canary-app');
  desk.commit('Seal');
  desk.coffer(['recipients', 'remove', 'laptop']);
  desk.coffer(['set', FILE, 'user'], 'canary-new');
  desk.commit('Replace the user');
});
after(() => desk.remove());

const found = (...args: string[]) => JSON.parse(desk.try(['exposure', '--json', ...args]).stdout);

describe('coffer exposure', () => {
  test('tells by every way of asking what could be read, and which of it may be in use', () => {
    const kid = found().keys[0].kid;
    for (const asked of [[], ['--key', kid], ['--key', kid.slice(0, 8)], ['--recipient', 'laptop']]) {
      const { exposed, living, values } = found(...asked);
      assert.equal(exposed, 2);
      assert.deepEqual(living.map(({ entry, state }: Record<string, string>) => `${entry} ${state}`).sort(), [
        'password live',
        'user resealed',
      ]);
      assert.equal(values.length, 2);
    }
    assert.equal(found('--signer', 'ADA@example.com').values.length, 3);
    assert.equal(found('--since', '2001-01-01').values.length, 3);
    assert.equal(found('--recipient', 'laptop', '--since', '2999-01-01').values.length, 0);
    assert.match(desk.coffer(['exposure']), /^live +payments\/db +password +laptop [0-9a-f]{8}/m);
  });

  test('takes a name that no commit has for a mistake, not for an answer', () => {
    for (const [args, code] of [
      [['--key', 'f00d'.repeat(8)], 'KEY_ID_UNKNOWN'],
      [['--recipient', 'lapotp'], 'EXPOSURE_RECIPIENT'],
      [['--signer', 'nobody'], 'EXPOSURE_WRITER'],
      [['--since', 'yesterday'], 'TIME_INVALID'],
    ] as const) {
      const { status, stdout } = desk.try(['exposure', '--json', ...args]);
      assert.deepEqual([status, JSON.parse(stdout).error.code], [2, code]);
    }
  });

  test('gives no number for a part of the history', () => {
    const part = join(desk.home, 'part');
    desk.git('clone', '-q', '--depth', '1', `file://${desk.folder}`, part);
    const refused = desk.try(['exposure', '--json'], { cwd: part });
    assert.deepEqual([refused.status, JSON.parse(refused.stdout).error.code], [3, 'EXPOSURE_SHALLOW']);
    assert.equal(desk.try(['check', '--exposed'], { cwd: part }).status, 3);
    const partial = desk.try(['exposure', '--json', '--partial'], { cwd: part });
    const { exposed, exposedAtLeast, isWhole } = JSON.parse(partial.stdout);
    assert.deepEqual([partial.status, exposed, exposedAtLeast, isWhole], [1, null, 0, false]);
    assert.match(desk.try(['exposure', '--partial'], { cwd: part }).stdout, /at least 0/);
  });

  test('writes a page in which nothing runs, whatever the repository says', () => {
    const file = join(desk.home, 'page.html');
    const shown = desk.coffer(['exposure', '--html', file]);
    const page = readFileSync(file, 'utf8');
    assert.match(page, /&lt;script&gt;alert\(1\)&lt;b&gt;\.yaml/);
    assert.match(page, /default-src 'none'/);
    for (const text of [page, shown]) {
      assert.ok(!text.includes('\u001b[31m"') && !text.includes('canary'));
    }
    assert.ok(!page.includes('<script') && !/(?:src|href)=|url\(/.test(page));
  });
});

test('coffer check --exposed fails while an exposed value lives, and names what to do', () => {
  const { status, stdout } = desk.try(['check', '--exposed', '--json']);
  assert.equal(status, 1);
  const findings: { rule: string; data: { file: string; entry: string } }[] = JSON.parse(stdout).findings;
  const exposed = findings.filter(({ rule }) => rule.startsWith('CHECK_EXPOSED'));
  assert.deepEqual(
    exposed.map(({ rule, data }) => [rule, data.file, data.entry]),
    [
      ['CHECK_EXPOSED', FILE, 'password'],
      ['CHECK_EXPOSED_RESEALED', FILE, 'user'],
    ],
  );
});

test('the table and the page say where a value may be in use, too, whose manifest has another name now', () => {
  desk.coffer(['new', 'payments/api', '--recipient', 'production', '-o', '<i>.yaml']);
  desk.coffer(['set', '<i>.yaml', 'password'], 'canary-one');
  desk.git('rm', '-q', FILE);
  desk.commit('Rename');
  const page = join(desk.home, 'renamed.html');
  const shown = desk.coffer(['exposure', '--html', page]);
  assert.match(shown, /^resealed +payments\/db +password +laptop /m);
  assert.match(shown, /^resealed +payments\/api +password +<i>\.yaml +may be one of these values, in another place$/m);
  const row = '<td>payments/api</td><td>password</td><td>&lt;i&gt;.yaml</td><td class="resealed">may be one';
  assert.ok(readFileSync(page, 'utf8').includes(row));
});
