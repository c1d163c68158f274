import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { highestTag } from './tags.ts';

/** Each above the one before it. */
const RISING = [
  'v0.9',
  'v1-beta',
  'v1',
  'v1.0.0-alpha',
  'v1.0.0-alpha.1',
  'v1.0.0-rc.2',
  'v1.0.0-rc.10',
  'v1.0.0',
  'v1.0.1',
  'v1.9',
  'v1.10',
  'v2',
  'v10',
  'v99999999999999999999',
  'v100000000000000000000',
];

describe('the highest tag', () => {
  test('is the highest version, in whatever order they are named', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(RISING, { minLength: 1 }), (names) => {
        const highest = RISING.findLast((name) => names.includes(name));
        assert.equal(highestTag(names, '*'), highest);
      }),
    );
  });

  test('does not depend on the order of any names at all', () => {
    const name = fc.string({ unit: fc.constantFrom('v', '1', '0', '9', '.', '-', 'a', '+'), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), (names) => {
        assert.equal(highestTag(names, '*'), highestTag(names.toReversed(), '*'));
        assert.equal(highestTag(names, '*'), highestTag(names.toSorted(), '*'));
      }),
      { numRuns: 2000 },
    );
  });

  test('is one that the glob matches as a whole', () => {
    assert.equal(highestTag(['v1', 'v2-test', 'w3', 'release/v9', 'v2'], 'v?'), 'v2');
    assert.equal(highestTag(['v1', 'release/v9', 'release/v10'], 'release/*'), 'release/v10');
    assert.equal(highestTag(['v1'], 'w*'), undefined);
    assert.equal(highestTag([], '*'), undefined);
  });
});
