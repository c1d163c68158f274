import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';

const ID = /repository: .*/;

/** Two repositories of one person, each with a recipient `production` that they trust; the keys differ. */
const desk = new Desk();
const theirs = new Desk();
after(() => {
  desk.remove();
  theirs.remove();
});
const env = { HOME: desk.home };
for (const one of [desk, theirs]) {
  for (const args of [['init'], ['recipients', 'create', 'production', '--type', 'cluster', '--key-dir', '../keys']]) {
    assert.equal(one.try(args, { env }).status, 0);
  }
}
desk.coffer(['new', 'team/db', '--recipient', 'production']);
desk.coffer(['set', 'team/db.yaml', 'password'], 'one');
desk.commit('as it should be');
const before = desk.read('team/db.yaml');

function set(value: string, more: Record<string, string> = {}) {
  return desk.try(['set', 'team/db.yaml', 'password'], { input: value, env: more });
}

describe('a changed repository id', () => {
  test("does not make another repository's pins count here", () => {
    desk.edit('.coffer/config.yaml', ID, ID.exec(theirs.read('.coffer/config.yaml'))?.[0] ?? '');
    desk.write('.coffer/recipients/production.yaml', theirs.read('.coffer/recipients/production.yaml'));
    assert.match(set('two').stderr, /^error REPOSITORY_ID_CHANGED: /);
    assert.match(
      desk.try(['recipients', 'create', 'bob', '--type', 'person']).stderr,
      /^error REPOSITORY_ID_CHANGED: /,
    );
    assert.equal(desk.read('team/db.yaml'), before);
    assert.equal(existsSync(join(desk.folder, '.coffer/recipients/bob.yaml')), false);
  });

  test('is no matter where COFFER_PINS says what counts', () => {
    desk.write('../pins', theirs.try(['recipients', 'list', '--pins'], { env }).stdout);
    assert.equal(set('two', { COFFER_PINS: '../pins' }).status, 0);
    desk.git('checkout', '--quiet', '.');
  });

  test('is seen from a linked work tree too, and not once it is back', () => {
    desk.git('worktree', 'add', '--quiet', '../linked');
    const cwd = `${desk.home}/linked`;
    const run = () => desk.try(['set', 'team/db.yaml', 'password'], { input: 'three', cwd });
    assert.equal(run().status, 0);
    desk.edit('../linked/.coffer/config.yaml', ID, `repository: "${'A'.repeat(22)}"`);
    assert.match(run().stderr, /^error REPOSITORY_ID_CHANGED: /);
    assert.equal(set('four').status, 0);
  });
});
