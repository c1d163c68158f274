import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { COMMANDS } from '../../cli/commands.ts';

const run = promisify(execFile);
const DIST = join(import.meta.dirname, '..', '..', 'dist');
const BUILD = join(import.meta.dirname, 'build.ts');

/** Makes a node of an older one: of another version, and without what that has not. */
const OLDER = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });
  registerHooks({ resolve(name, context, next) {
    if (name === 'node:sqlite') throw new Error('No such built-in module: node:sqlite');
    return next(name, context);
  } });
`)}`;

describe('the build', () => {
  for (const program of ['coffer.js', 'coffer-operator.js']) {
    test(`makes ${program} a program`, () => {
      const file = join(DIST, program);
      assert.equal(statSync(file).mode & 0o777, 0o755);
      assert.ok(readFileSync(file, 'utf8').startsWith('#!/usr/bin/env node\n'));
    });
  }

  for (const program of ['coffer', 'coffer-operator', 'coffer-node']) {
    test(`lets ${program} say in an older node that it is too old, rather than fail for what that lacks`, () => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--import', OLDER, join(DIST, `${program}.js`), '--help'],
        { encoding: 'utf8' },
      );
      assert.deepEqual([status, stdout], [3, '']);
      assert.match(stderr, new RegExp(`^${program} needs Node 22\\.19 or later; this is .*\\n.*newer node.*\\n$`));
    });
  }

  test('describes every command to oclif', () => {
    const manifest: { commands: object } = JSON.parse(readFileSync(join(DIST, 'oclif.manifest.json'), 'utf8'));
    assert.deepEqual(Object.keys(manifest.commands).toSorted(), Object.keys(COMMANDS).toSorted());
  });

  test('swaps its result in so that no program fails that starts meanwhile', async () => {
    let building = true;
    const built = run(process.execPath, [BUILD]).finally(() => {
      building = false;
    });
    while (building) {
      const { stdout } = await run(process.execPath, [join(DIST, 'coffer.js'), 'check', '--help']);
      assert.match(stdout, /USAGE/);
    }
    await built;
  });
});
