import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComparisonBudget } from './comparison-budget.ts';

const HOUR = 3_600_000;

test('an entry is compared with so many values a day, whatever others are, and goes on when the first of them is a day ago', () => {
  let now = 0;
  const budget = new ComparisonBudget(2, () => now);
  const compares = (entry: string, ...values: string[]) =>
    values.map((value) => {
      const isAllowed = budget.allows(entry, value);
      if (isAllowed) budget.count(entry, value);
      return isAllowed;
    });
  assert.deepEqual(compares('a', '1'), [true]);
  now = HOUR;
  assert.deepEqual([compares('a', '2', '3'), compares('b', '1')], [[true, false], [true]]);
  assert.equal(budget.isFreeAgain(), false);
  now = 24 * HOUR;
  assert.equal(budget.isFreeAgain(), true);
  assert.equal(budget.isFreeAgain(), false, 'told once');
  assert.deepEqual(compares('a', '3', '4'), [true, false]);
  now = 25 * HOUR;
  assert.deepEqual([budget.isFreeAgain(), compares('a', '4', '5'), compares('b', '2')], [true, [true, false], [true]]);
});

test('what is not compared after all, and the same value once more, is no guess', () => {
  const budget = new ComparisonBudget(2, () => 0);
  for (const value of ['1', '2', '3']) assert.equal(budget.allows('a', value), true);
  for (const value of ['1', '1', '1', '2']) budget.count('a', value);
  assert.deepEqual(
    ['1', '2', '3'].map((value) => budget.allows('a', value)),
    [true, true, false],
  );
});
