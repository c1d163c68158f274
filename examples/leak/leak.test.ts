import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Playing } from '../demo/playing.ts';

const LEAK = join(import.meta.dirname, 'leak.ts');

describe('the demo of a stolen key', { skip: process.platform !== 'linux' && 'its checks read /proc' }, () => {
  test('plays from the theft to "exposed: 0" and leaves nothing behind', async (t) => {
    const playing = Playing.start(t, LEAK);
    assert.equal(await playing.ended, 0, playing.printed);
    for (const promise of ['supplier-4711', 'exposed: 2', 'continues the copy before', 'exposed: 0', 'ended cleanly']) {
      assert.ok(playing.printed.includes(promise), `${promise} is missing in\n${playing.printed}`);
    }
    playing.assertNothingLeft();
  });
});
