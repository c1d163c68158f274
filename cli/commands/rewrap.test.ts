import assert from 'node:assert/strict';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { manifestText } from '../../test/check/memory-repository.ts';
import { Desk } from '../../test/cli/desk.ts';
import { damaged } from '../../test/support/damaged.ts';

const FILE = 'db.yaml';

let start: Desk;
let desk: Desk;
const desks: Desk[] = [];

/** Ada, who can open the manifest; production and staging, whose keys are elsewhere. */
before(() => {
  start = new Desk();
  desks.push(start);
  start.coffer(['init']);
  start.coffer(['recipients', 'create', 'ada', '--type', 'person']);
  for (const name of ['production', 'staging']) {
    start.coffer(['recipients', 'create', name, '--type', 'cluster', '--key-dir', join(start.home, name)]);
  }
  start.write(FILE, `# Kept\n${manifestText({ recipients: ['ada', 'production'] })}`);
  start.coffer(['encrypt', FILE]);
});
beforeEach(() => {
  desk = new Desk(start);
  desks.push(desk);
});
after(() => {
  for (const one of desks) one.remove();
});

const stanzas = () => [...desk.read(FILE).matchAll(/^ {6}(\w+): "[0-9a-f]{32}:/gm)].map(([, name]) => name);
const values = () => [...desk.read(FILE).matchAll(/CF\[1:\S+\]/g)].map(([sealed]) => sealed);
const asCluster = (name: string) => ['--key-dir', join(desk.home, name)];

describe('coffer rewrap', () => {
  test('--add lets another recipient open every value, which stay as they were', () => {
    const before = values();
    assert.equal(desk.try(['get', FILE, 'password', ...asCluster('staging')]).status, 3);
    desk.coffer(['rewrap', FILE, '--add', 'staging']);
    assert.deepEqual(stanzas(), ['ada', 'production', 'staging']);
    assert.deepEqual(values(), before);
    assert.equal(desk.coffer(['get', FILE, 'password', ...asCluster('staging')]), 'hunter2');
    assert.match(desk.coffer(['check', '--strict']), /^Nothing found/);
  });

  test('--remove needs no key, and says that history remembers', () => {
    const { status, stderr } = desk.try(['rewrap', FILE, '--remove', 'production', '--key-dir', '/nowhere']);
    assert.equal(status, 0);
    assert.match(stderr, /removed production[\s\S]*history/);
    assert.deepEqual(stanzas(), ['ada']);
    assert.equal(desk.try(['get', FILE, 'password', ...asCluster('production')]).status, 3);
    assert.match(desk.coffer(['check', '--strict']), /^Nothing found/);
  });

  test('--remove takes the stanzas of whom somebody took out of the list by hand, but not the last ones', () => {
    desk.edit(FILE, 'recipients: [ada, production]', 'recipients: [ada]');
    assert.match(desk.try(['get', FILE, 'password']).stderr, /^error STANZA_UNLISTED: /);
    desk.coffer(['rewrap', FILE, '--remove', 'production']);
    assert.deepEqual(stanzas(), ['ada']);
    assert.equal(desk.coffer(['get', FILE, 'password']), 'hunter2');

    desk.edit(FILE, 'recipients: [ada]', 'recipients: [production]');
    const { status, stderr } = desk.try(['rewrap', FILE, '--remove', 'ada']);
    assert.deepEqual([status, stderr.split(':')[0]], [3, 'error REWRAP_NOBODY_LEFT']);
  });

  test('without either brings pending recipients and old keys up to date, and then has nothing to do', () => {
    desk.edit(FILE, '[ada, production]', '[ada, production, staging]');
    assert.match(desk.coffer(['check']), /CHECK_STANZA_PENDING/);
    desk.coffer(['rewrap', FILE]);
    assert.deepEqual(stanzas(), ['ada', 'production', 'staging']);
    const text = desk.read(FILE);
    assert.equal(desk.try(['rewrap', FILE]).stderr, `${FILE}: nothing to do.\n`);
    assert.equal(desk.read(FILE), text);
  });

  test('seals to nobody whose identity this person has not confirmed', () => {
    renameSync(join(desk.home, '.config/coffer/pins'), join(desk.home, 'pins'));
    const text = desk.read(FILE);
    const { status, stderr } = desk.try(['rewrap', FILE, '--add', 'staging']);
    assert.equal(status, 3);
    assert.match(stderr, /RECIPIENT_UNPINNED/);
    assert.equal(desk.read(FILE), text);
  });

  test('goes on with other files after one that fails, changes nothing in that one, and exits with its code', () => {
    desk.write('other.yaml', manifestText({ name: 'other', recipients: ['production'] }));
    desk.coffer(['encrypt', 'other.yaml']);
    const text = desk.read('other.yaml');
    const { status, stdout } = desk.try(['rewrap', 'other.yaml', FILE, '--add', 'staging', '--json']);
    assert.equal(status, 3);
    const result = JSON.parse(stdout);
    assert.deepEqual(
      [result.files.map(({ file }: { file: string }) => file), result.errors.length, result.errors[0].code],
      [[FILE], 1, 'MANIFEST_NOT_FOR_US'],
    );
    assert.equal(desk.read('other.yaml'), text);
  });

  test('refuses to remove who is not listed, or everybody', () => {
    assert.match(desk.try(['rewrap', FILE, '--remove', 'staging']).stderr, /RECIPIENT_NOT_LISTED/);
    const text = desk.read(FILE);
    const { status, stderr } = desk.try(['rewrap', FILE, '--remove', 'ada', '--remove', 'production']);
    assert.notEqual(status, 0);
    assert.match(stderr, /REWRAP_NOBODY_LEFT/);
    assert.equal(desk.read(FILE), text);
  });
});

describe('files of several repositories', () => {
  const THERE = '../elsewhere/db.yaml';
  const coffer = (...args: string[]) => desk.try(args, { cwd: join(desk.home, 'elsewhere') });

  /** Beside Ada's repository another one, where she is anna and staging is another cluster. */
  beforeEach(() => {
    desk.run('mkdir', ['elsewhere'], { cwd: desk.home });
    desk.git('init', '--quiet', '../elsewhere');
    coffer('init');
    coffer('recipients', 'create', 'anna', '--type', 'person');
    coffer('recipients', 'create', 'staging', '--type', 'cluster', '--key-dir', join(desk.home, 'staging-there'));
    desk.write(THERE, manifestText({ recipients: ['anna'] }));
    desk.coffer(['encrypt', THERE]);
  });

  const keysOf = (path: string, recipient: string) =>
    [...desk.read(path).matchAll(new RegExp(`^ {6}${recipient}: "([0-9a-f]{32}):`, 'gm'))].map(([, kid]) => kid);
  const listedIn = (folder: string, recipient: string) => desk.read(`${folder}.coffer/recipients/${recipient}.yaml`);

  test('are each sealed again to the keys of their own repository', () => {
    desk.coffer(['rewrap', FILE, THERE, '--add', 'staging']);
    for (const [path, folder] of [
      [FILE, ''],
      [THERE, '../elsewhere/'],
    ] as const) {
      const [kid = ''] = keysOf(path, 'staging');
      assert.match(listedIn(folder, 'staging'), new RegExp(`id: "${kid}"`));
    }
    for (const path of [FILE, THERE]) desk.coffer(['set', path, 'more'], 'more');
    desk.coffer(['compact', FILE, THERE]);
    for (const [path, folder] of [
      [FILE, ''],
      [THERE, '../elsewhere/'],
    ] as const) {
      const kids = keysOf(path, 'staging');
      assert.equal(kids.length, 1);
      assert.match(listedIn(folder, 'staging'), new RegExp(`id: "${kids[0]}"`));
      assert.equal(desk.coffer(['get', path, 'more']), 'more');
    }
  });

  test('one in no repository is reported, and hinders no other', () => {
    desk.run('cp', [FILE, '../db.yaml']);
    const { status, stderr } = desk.try(['rewrap', '../db.yaml', FILE, '--add', 'staging']);
    assert.equal(status, 3);
    assert.match(stderr, /REPOSITORY_NOT_FOUND/);
    assert.deepEqual(stanzas(), ['ada', 'production', 'staging']);
  });
});

describe('coffer compact', () => {
  test('seals all values again under one data key', () => {
    for (const value of ['one', 'two']) desk.coffer(['set', FILE, value], value);
    assert.equal(stanzas().length, 6);
    desk.coffer(['compact', FILE]);
    assert.deepEqual(stanzas(), ['ada', 'production']);
    assert.equal(new Set(values().map((sealed) => sealed.slice(0, 37))).size, 1);
    assert.deepEqual(
      ['password', 'one', 'two'].map((entry) => desk.coffer(['get', FILE, entry, ...asCluster('production')])),
      ['hunter2', 'one', 'two'],
    );
    assert.ok(desk.read(FILE).startsWith('# Kept\n'));
    const text = desk.read(FILE);
    assert.equal(desk.try(['compact', FILE]).stderr, `${FILE}: has one data key already.\n`);
    assert.equal(desk.read(FILE), text);
    assert.match(desk.coffer(['check', '--strict']), /^Nothing found/);
  });

  test('changes nothing where one value cannot be opened', () => {
    desk.coffer(['set', FILE, 'later'], 'later');
    const text = damaged(desk.read(FILE), 'later: ');
    desk.write(FILE, text);
    const { status, stderr } = desk.try(['compact', FILE]);
    assert.equal(status, 3);
    assert.match(stderr, /VALUE_REFUSED/);
    assert.equal(desk.read(FILE), text);
    assert.deepEqual(
      readdirSync(desk.folder).filter((name) => name.includes('tmp')),
      [],
    );
  });
});
