import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { Desk } from '../../test/cli/desk.ts';
import { commitFiles } from './commit.ts';

let desk: Desk;

beforeEach(() => {
  desk?.remove();
  desk = new Desk();
  desk.write('kept', 'before');
  desk.commit('Begin');
});

after(() => desk.remove());

const named = () => desk.git('show', '--name-status', '--format=').trim().split('\n').toSorted();

describe('a commit of some files', () => {
  test('has these and nothing else that is changed or staged, whatever their names', async () => {
    desk.write('kept', 'changed');
    desk.write('staged', 'x');
    desk.git('add', 'staged');
    desk.write('a *.yaml', 'x');
    const commit = await commitFiles(desk.folder, ['a *.yaml'], 'Only this');
    assert.equal(commit, desk.git('rev-parse', 'HEAD').trim());
    assert.deepEqual(named(), ['A\ta *.yaml']);
    assert.equal(desk.git('status', '--porcelain'), ' M kept\nA  staged\n');
  });

  test('takes paths from a folder below the repository’s, and one that is gone as removed', async () => {
    const folder = join(desk.folder, 'secrets');
    mkdirSync(folder);
    writeFileSync(join(folder, 'one'), '1');
    writeFileSync(join(folder, 'two'), '2');
    await commitFiles(folder, ['one', 'two'], 'Two');
    rmSync(join(folder, 'two'));
    await commitFiles(folder, ['two'], 'One');
    assert.deepEqual(named(), ['D\tsecrets/two']);
  });

  test('is none where nothing of them changed', async () => {
    const before = desk.git('rev-parse', 'HEAD');
    assert.equal(await commitFiles(desk.folder, ['kept'], 'Nothing'), undefined);
    assert.equal(desk.git('rev-parse', 'HEAD'), before);
  });

  test('that a hook refuses is told with what the hook says, and leaves the files as they are', async () => {
    desk.write('.git/hooks/pre-commit', '#!/bin/sh\necho "one is wrong" >&2\nprintf "\\033[2Jtwo\\n" >&2\nexit 1\n');
    chmodSync(join(desk.folder, '.git/hooks/pre-commit'), 0o755);
    desk.write('kept', 'changed');
    const before = desk.git('rev-parse', 'HEAD');
    await assert.rejects(commitFiles(desk.folder, ['kept'], 'Refused'), (error) => {
      assert.ok(error instanceof CofferError);
      assert.equal(error.code, 'COMMIT_REFUSED');
      assert.match(error.message, /one is wrong\n {4}\ufffd\[2Jtwo$/);
      return true;
    });
    assert.deepEqual([desk.git('rev-parse', 'HEAD'), desk.read('kept')], [before, 'changed']);
  });

  test('where there is no repository is told, with the way out', async () => {
    await assert.rejects(commitFiles(desk.home, ['kept'], 'Nowhere'), { code: 'COMMIT_NO_GIT' });
  });
});
