import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { manifestText } from '../../test/check/memory-repository.ts';
import { Desk } from '../../test/cli/desk.ts';

const FILE = 'db.yaml';
const data = { host: 'db', password: 'first', port: '5432', username: 'app' };

const desks: Desk[] = [];
/** A repository with two clusters and a sealed manifest on main, and a branch `other` that begins there. */
let start: Desk;
let desk: Desk;

before(() => {
  start = new Desk();
  desks.push(start);
  start.installCoffer();
  start.coffer(['init']);
  for (const name of ['production', 'staging']) start.coffer(['recipients', 'create', name, '--type', 'cluster']);
  start.write(FILE, manifestText({ recipients: ['production'], data }));
  start.coffer(['encrypt', FILE]);
  start.commit('Start');
  start.git('branch', 'other');
});

beforeEach(() => {
  desk = new Desk(start);
  desks.push(desk);
});

after(() => {
  for (const one of desks) one.remove();
});

const set = (entry: string, value: string) => desk.coffer(['set', FILE, entry], value);
const get = (entry: string) => desk.coffer(['get', FILE, entry]);

/** Makes a change on each branch, then merges `other` into main as somebody with these settings would. */
function merge(onMain: () => void, onOther: () => void, settings: { driver: boolean; style?: string }) {
  onMain();
  desk.commit('On main');
  desk.git('checkout', '--quiet', 'other');
  onOther();
  desk.commit('On other');
  desk.git('checkout', '--quiet', 'main');
  if (!settings.driver) desk.git('config', 'merge.coffer.driver', 'git merge-file %A %O %B');
  if (settings.style !== undefined) desk.git('config', 'merge.conflictStyle', settings.style);
  return desk.run('git', ['merge', '--no-edit', '--quiet', 'other']);
}

describe('git merge with coffer as its driver', () => {
  test('takes values on neighbouring lines from both branches, and what it makes is sound', () => {
    const { status } = merge(
      () => set('password', 'from main'),
      () => set('port', 'from other'),
      { driver: true },
    );
    assert.equal(status, 0);
    assert.deepEqual(['host', 'password', 'port'].map(get), ['db', 'from main', 'from other']);
    assert.match(desk.coffer(['check', '--strict', FILE]), /^Nothing found/);
  });

  test('takes a rewrapped manifest and a changed value', () => {
    const { status } = merge(
      () => desk.coffer(['rewrap', FILE, '--add', 'staging']),
      () => set('password', 'from other'),
      { driver: true },
    );
    assert.equal(status, 0);
    assert.deepEqual(['host', 'password'].map(get), ['db', 'from other']);
    // The branch did not know of staging when it sealed.
    assert.match(desk.coffer(['check', FILE]), /CHECK_STANZA_PENDING/);
    assert.match(desk.coffer(['check', FILE]), /^1 warning/m);
  });

  test('drops the stanzas of a recipient that one branch removed', () => {
    desk.coffer(['rewrap', FILE, '--add', 'staging']);
    desk.commit('Two clusters');
    desk.git('branch', '--force', 'other');
    const { status } = merge(
      () => desk.coffer(['rewrap', FILE, '--remove', 'staging']),
      () => set('password', 'from other'),
      { driver: true },
    );
    assert.equal(status, 0);
    assert.doesNotMatch(desk.read(FILE), /staging/);
    assert.match(desk.coffer(['check', '--strict', FILE]), /^Nothing found/);
  });

  test('leaves a value that both branches changed to a person, who chooses one', () => {
    const { status } = merge(
      () => set('password', 'from main'),
      () => set('password', 'from other'),
      { driver: true },
    );
    assert.equal(status, 1);
    assert.match(desk.git('status', '--short'), /^UU db\.yaml$/m);
    assert.equal(desk.read(FILE).match(/^<{7}/gm)?.length, 1);
    desk.edit(FILE, /<{7}[^\n]*\n(.*\n)(?:\|{7}[\s\S]*?)?={7}\n.*\n>{7}[^\n]*\n/, '$1');
    assert.equal(get('password'), 'from main');
    assert.match(desk.coffer(['check', FILE]), /^(?:Nothing found|1 warning)/m);
  });

  test('merges what is no manifest as git does, and never loses a side', () => {
    desk.write('.gitattributes', '*.txt merge=coffer\n');
    desk.write('notes.txt', 'one\ntwo\nthree\n');
    desk.commit('Notes');
    desk.git('branch', '--force', 'other');
    const { status } = merge(
      () => desk.write('notes.txt', 'ONE\ntwo\nthree\n'),
      () => desk.write('notes.txt', 'uno\ntwo\nthree\n'),
      { driver: true },
    );
    assert.equal(status, 1);
    for (const line of ['ONE', 'uno', '<<<<<<<', '>>>>>>>']) assert.ok(desk.read('notes.txt').includes(line), line);
  });
});

describe('coffer resolve', () => {
  for (const style of ['merge', 'diff3']) {
    test(`resolves in place what the driver would have merged, with markers of style ${style}`, () => {
      const { status } = merge(
        () => set('password', 'from main'),
        () => set('port', 'from other'),
        { driver: false, style },
      );
      assert.equal(status, 1);
      desk.coffer(['resolve', FILE]);
      assert.deepEqual(['password', 'port'].map(get), ['from main', 'from other']);
      assert.match(desk.coffer(['check', '--strict', FILE]), /^Nothing found/);
    });
  }

  test('says how many conflicts are left, exit code 1, and changes nothing without markers', () => {
    merge(
      () => set('password', 'from main'),
      () => set('password', 'from other'),
      { driver: false },
    );
    const { status, stderr } = desk.try(['resolve', FILE]);
    assert.equal(status, 1);
    assert.match(stderr, /one conflict is left/);
    const again = desk.try(['resolve', FILE, '--json']);
    assert.deepEqual(JSON.parse(again.stdout), { files: [{ file: FILE, unresolved: 1 }], errors: [] });
    desk.write('plain.yaml', 'a: b\n');
    assert.equal(desk.try(['resolve', 'plain.yaml']).stderr, 'plain.yaml: no conflict markers.\n');
    assert.equal(desk.read('plain.yaml'), 'a: b\n');
  });

  test('without a file is wrong usage, exit code 2; a missing file is exit code 3', () => {
    assert.equal(desk.try(['resolve']).status, 2);
    assert.equal(desk.try(['resolve', '--driver', 'a', 'b']).status, 2);
    assert.equal(desk.try(['resolve', 'nowhere.yaml']).status, 3);
  });
});
