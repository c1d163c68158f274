import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Playing } from './playing.ts';

const DEMO = join(import.meta.dirname, 'demo.ts');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

describe('the demo', { skip: process.platform !== 'linux' && 'its checks read /proc' }, () => {
  test('plays the whole path and leaves nothing behind', async (t) => {
    const playing = Playing.start(t, DEMO);
    assert.equal(await playing.ended, 0, playing.printed);
    for (const promise of ['there after', 'VALUE_REFUSED', 'mended by a commit', 'ended cleanly']) {
      assert.ok(playing.printed.includes(promise), `${promise} is missing in\n${playing.printed}`);
    }
    if (isRoot) assert.match(playing.printed, /Permission denied/);
    playing.assertNothingLeft();
  });

  test('leaves nothing behind when it is interrupted', async (t) => {
    const playing = Playing.start(t, DEMO);
    const exit = playing.ended;
    await new Promise<void>((resolve) => {
      playing.child.stdout?.on('data', () => {
        if (playing.printed.includes('coffer-operator --config staging')) resolve();
      });
      void exit.then(() => resolve());
    });
    playing.child.kill('SIGINT');
    assert.equal(await exit, 130, playing.printed);
    playing.assertNothingLeft();
  });

  test('works without privileges', async (t) => {
    if (!isRoot) return t.skip('this run has none: the first test shows it');
    const readable =
      spawnSync('cat', [DEMO, process.execPath], { uid: NOBODY, gid: NOBODY, stdio: 'ignore' }).status === 0;
    if (!readable) return t.skip('the checkout cannot be read by another user');
    const playing = Playing.start(t, DEMO, NOBODY);
    assert.equal(await playing.ended, 0, playing.printed);
    playing.assertNothingLeft();
  });
});
