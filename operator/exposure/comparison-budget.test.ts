import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComparisonBudget } from './comparison-budget.ts';

const HOUR = 3_600_000;

test('an entry is compared so often a day, whatever others are, and goes on when the first of them is a day ago', () => {
  let now = 0;
  const budget = new ComparisonBudget(2, () => now);
  const takes = (...entries: string[]) => entries.map((entry) => budget.take(entry));
  assert.deepEqual(takes('a'), [true]);
  now = HOUR;
  assert.deepEqual(takes('a', 'a', 'b'), [true, false, true]);
  assert.equal(budget.isFreeAgain(), false);
  now = 24 * HOUR;
  assert.equal(budget.isFreeAgain(), true);
  assert.equal(budget.isFreeAgain(), false, 'told once');
  assert.deepEqual(takes('a', 'a'), [true, false]);
  now = 25 * HOUR;
  assert.deepEqual([budget.isFreeAgain(), ...takes('a', 'a', 'b')], [true, true, false, true]);
});
