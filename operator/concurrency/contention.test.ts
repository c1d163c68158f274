import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Contention } from './contention.ts';

test('edits are put right at once; those of somebody who does not stop ever later; after a pause at once again', () => {
  const contention = new Contention();
  let now = 0;
  const waits = Array.from({ length: 16 }, () => {
    const due = contention.due('a/b', now);
    const wait = due - now;
    // What happens meanwhile waits as well; at that time it is put right, and changed again soon after.
    if (wait > 0) assert.equal(contention.due('a/b', now + wait / 2), due);
    if (wait > 0) assert.equal(contention.due('a/b', due), due);
    now = due + 10;
    return wait;
  });
  assert.deepEqual(waits.slice(0, 8), [0, 0, 0, 0, 0, 1000, 2000, 4000]);
  assert.equal(waits.at(-1), 300_000);
  assert.equal(contention.due('a/other', now), now);
  now += 61_000;
  assert.equal(contention.due('a/b', now), now);
});
