import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64 } from './base64.ts';

describe('base64', () => {
  test('gives back any bytes that were encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5), (bytes, before) => {
        const text = Buffer.from(`${'!'.repeat(before)}${Buffer.from(bytes).toString('base64')}!`);
        assert.deepEqual(decodeBase64(text, before, text.length - 1), Buffer.from(bytes));
      }),
    );
  });

  test('has one spelling for each bytes: any other text of its alphabet is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgw/+09='), maxLength: 12 }), (text) => {
        const decoded = decodeBase64(Buffer.from(text), 0, text.length);
        if (decoded === undefined) assert.notEqual(Buffer.from(text, 'base64').toString('base64'), text);
        else assert.equal(decoded.toString('base64'), text);
      }),
    );
  });

  for (const text of [
    'A',
    'AA',
    'AAA',
    'AA=',
    'A===',
    '====',
    'AB==',
    'AAB=',
    'A=A=',
    'AA-_',
    'AA A',
    'AA\n=',
    '\nAAA',
    'AAé=',
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      const bytes = Buffer.from(text);
      assert.equal(decodeBase64(bytes, 0, bytes.length), undefined);
    });
  }
});
