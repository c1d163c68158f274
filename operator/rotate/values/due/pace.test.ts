import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

const WITHIN = 600;

test('a place counts once for its time, and is free after that, however often its name came meanwhile', () => {
  let now = 0;
  const pace = new Pace(2, WITHIN, () => now);
  assert.deepEqual(
    ['a', 'a', 'b', 'c'].map((name) => pace.take(name)),
    [true, true, true, false],
  );
  now = WITHIN - 1;
  assert.deepEqual(
    ['c', 'a', 'b'].map((name) => pace.take(name)),
    [false, true, true],
  );
  now = WITHIN;
  assert.equal(pace.take('c'), true);
});

test("a place that is given back is the next one's, and who had no turn for the longest time is told", () => {
  const pace = new Pace(1, WITHIN, () => 0);
  const names = ['a', 'b', 'c'];
  const longest = () => names.toSorted((one, other) => pace.lastTurn(one) - pace.lastTurn(other));
  const turns: (string | undefined)[] = [];
  for (let look = 0; look < 5; look++) {
    const [name = ''] = longest();
    turns.push(name);
    assert.equal(pace.take(name), true);
    pace.giveBack(name);
  }
  assert.deepEqual(turns, ['a', 'b', 'c', 'a', 'b']);
  pace.forgetAllBut(new Set(['a', 'c']));
  assert.equal(longest()[0], 'b');
});
