import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../test/support/properties.ts';
import { beginningOf, ownText } from './own-text.ts';

test('a copy of any text is that text, also of halves of characters', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.nat(9),
      (text, from) => ownText(text.slice(from)) === text.slice(from),
    ),
  );
  assert.equal(ownText('\ud83d'), '\ud83d');
});

test('of a text that is longer the beginning is told, and that it is one', () => {
  assert.deepEqual([beginningOf('abc', 3), beginningOf('abcd', 3), beginningOf('', 0)], ['abc', 'abc…', '']);
});
