import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, ratio, render, table } from './page.ts';

test('durations are in the unit that a person reads', () => {
  const spelled = [0.0123, 0.5, 1, 45.67, 999, 1234, 45_678, Number.NaN].map(duration);
  assert.deepEqual(spelled, ['12 µs', '500 µs', '1.0 ms', '45.7 ms', '999 ms', '1.23 s', '45.7 s', '—']);
});

test('ratios keep two digits that say something', () => {
  assert.deepEqual([ratio(3, 2), ratio(1, 40), ratio(1, 0), ratio(Number.NaN, 1)], ['1.50×', '0.025×', '—', '—']);
});

test('a missed target says so in the table', () => {
  const targets = [
    { what: 'fast', measured: '1×', met: true },
    { what: 'faster', measured: '2×', met: false },
  ];
  const text = render({ title: 'T', body: [table(['a', 'b'], [['x', 1]])], targets });
  assert.match(text, /^## T\n\n\| a \| b \|\n\|---\|---:\|\n\| x \| 1 \|\n\n/);
  assert.match(text, /\| fast \| 1× \| met \|\n\| faster \| 2× \| \*\*missed\*\* \|$/);
});
