import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../test/support/properties.ts';
import { matchesWildcard } from './wildcard.ts';

test('a pattern matches what the regular expression of the same meaning matches', () => {
  const letters = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 });
  fc.assert(
    fc.property(letters('ab.*?'), letters('ab.'), (pattern, text) => {
      const regex = pattern.replace(/\./g, '\\.').replace(/\*+/g, '.*').replace(/\?/g, '.');
      assert.equal(matchesWildcard(pattern, text), new RegExp(`^${regex}$`, 's').test(text));
    }),
    { numRuns: 2000 },
  );
});

test('a pattern of many stars is no slower than the text is long', () => {
  assert.equal(matchesWildcard(`${'*a'.repeat(1000)}b`, 'a'.repeat(20_000)), false);
});
