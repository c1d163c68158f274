import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { manifestText } from '../../test/check/memory-repository.ts';
import { Desk } from '../../test/cli/desk.ts';

const FILE = 'db.yaml';
const ANOTHER = `---\n${manifestText({ name: 'second', recipients: ['production'] })}`;
const TEXT = `# Kept: comments\n${manifestText({
  recipients: ['production'],
  readers: '\n    - name: payments-api # on call: Ada\n      entries: [password]',
  more: '  template: {data: {URL: "db://${username}"}}\n',
})}`;

let desk: Desk;

before(() => {
  desk = new Desk();
});
beforeEach(() => desk.write(FILE, TEXT));
after(() => desk.remove());

/** The lines that a command took away (`-`) and put there (`+`). */
function changed(args: string[]): string[] {
  const before = desk.read(FILE).split('\n');
  desk.coffer(args);
  const now = desk.read(FILE).split('\n');
  return [
    ...before.filter((line) => !now.includes(line)).map((line) => `-${line}`),
    ...now.filter((line) => !before.includes(line)).map((line) => `+${line}`),
  ];
}

describe('coffer grant', () => {
  test('adds a reader, of everything or of some entries, and changes no other line', () => {
    assert.deepEqual(changed(['grant', FILE, 'reports']), ['+    - name: reports']);
    assert.deepEqual(changed(['grant', FILE, 'audit=username,URL']), [
      '+    - name: audit',
      '+      entries: [username, URL]',
    ]);
    assert.deepEqual(changed(['grant', FILE, '*=username']), ['+    - name: "*"', '+      entries: [username]']);
  });

  test('adds entries to those that a reader has, up to all of them', () => {
    assert.deepEqual(changed(['grant', FILE, 'payments-api=username']), [
      '-      entries: [password]',
      '+      entries: [password, username]',
    ]);
    assert.deepEqual(changed(['grant', FILE, 'payments-api']), ['-      entries: [password, username]']);
  });

  test('changes nothing where the reader may read it already, and says so', () => {
    assert.deepEqual(changed(['grant', FILE, 'payments-api=password']), []);
    const { stderr } = desk.try(['grant', FILE, 'payments-api=password']);
    assert.equal(stderr, 'payments-api may read password already; nothing was changed.\n');
    assert.deepEqual(JSON.parse(desk.coffer(['grant', FILE, 'payments-api=password', '--json'])), {
      file: FILE,
      reader: 'payments-api',
      entries: ['password'],
      changed: false,
    });
  });

  const refused: [string, string[], RegExp][] = [
    ['an unknown entry', ['reports=pasword'], /READER_ENTRY_UNKNOWN[\s\S]*password, username, URL/],
    ['an empty entry', ['reports=password,'], /READER_ARGUMENT/],
    ['a name that no workload can have', ['Reports!'], /READER_NAME/],
    ['a missing reader', [], /missing/i],
  ];
  for (const [what, args, message] of refused) {
    test(`refuses ${what}, exit code 2, and changes nothing`, () => {
      const { status, stderr } = desk.try(['grant', FILE, ...args], { input: 'not-an-argument' });
      assert.equal(status, 2);
      assert.match(stderr, message);
      assert.equal(desk.read(FILE), TEXT);
    });
  }

  test('asks which manifest is meant where a file holds several', () => {
    desk.write(FILE, TEXT + ANOTHER);
    const { status, stderr } = desk.try(['grant', FILE, 'reports']);
    assert.equal(status, 2);
    assert.match(stderr, /DOCUMENT_AMBIGUOUS[\s\S]*payments\/payments-db, payments\/second/);
    desk.coffer(['grant', FILE, 'reports', '--document', 'payments/second']);
    assert.ok(desk.read(FILE).startsWith(TEXT), 'the first manifest changed');
    assert.match(desk.read(FILE).slice(TEXT.length), /name: reports/);
  });
});

describe('coffer revoke', () => {
  test('takes entries or the whole reader away, and says what is left', () => {
    desk.coffer(['grant', FILE, 'payments-api=username']);
    const { stderr } = desk.try(['revoke', FILE, 'payments-api=username']);
    assert.equal(stderr, 'payments-api still reads password.\n');
    assert.equal(desk.read(FILE), TEXT);
    assert.deepEqual(changed(['revoke', FILE, 'payments-api=password']), [
      '-  readers: ',
      '-    - name: payments-api # on call: Ada',
      '-      entries: [password]',
      '+  readers: []',
    ]);
  });

  test('of a reader that has everything leaves the rest, by name, without templates that need what is gone', () => {
    desk.coffer(['grant', FILE, 'reports']);
    assert.deepEqual(changed(['revoke', FILE, 'reports=username']), []);
    assert.match(desk.read(FILE), /- name: reports\n {6}entries: \[password\]/);
  });

  test('refuses a workload that is no reader, exit code 2', () => {
    const { status, stderr } = desk.try(['revoke', FILE, 'report']);
    assert.equal(status, 2);
    assert.match(stderr, /READER_UNKNOWN[\s\S]*payments-api/);
  });
});
