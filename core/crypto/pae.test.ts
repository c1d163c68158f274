import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { pae } from './pae.ts';

const parts = fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 });

describe('pre-authentication encoding', () => {
  test('the layout is count, then length and bytes of each part, in little-endian', () => {
    assert.equal(pae('ab', '').toString('hex'), `0200000000000000${'0200000000000000'}6162${'0000000000000000'}`);
  });

  test('different parts never give the same bytes', () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = one.length === other.length && one.every((part, index) => part === other[index]);
        assert.equal(pae(...one).equals(pae(...other)), same);
      }),
    );
  });

  test('where parts are cut matters', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.nat(), fc.nat(), (text, a, b) => {
        const cut = (at: number) => pae(text.slice(0, at % text.length), text.slice(at % text.length));
        assert.equal(cut(a).equals(cut(b)), a % text.length === b % text.length);
      }),
    );
  });
});
