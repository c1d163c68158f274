import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { decodeBase64 } from './base64.ts';

describe('base64', () => {
  test('gives back any bytes that were encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5), (bytes, before) => {
        const text = Buffer.from(`${'!'.repeat(before)}${Buffer.from(bytes).toString('base64')}!`);
        assert.deepEqual(decoded(text, before, text.length - 1), Buffer.from(bytes));
      }),
    );
  });

  test('has one spelling for each bytes: any other text of its alphabet is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgw/+09='), maxLength: 12 }), (text) => {
        const bytes = decoded(Buffer.from(text));
        if (bytes === undefined) assert.notEqual(Buffer.from(text, 'base64').toString('base64'), text);
        else assert.equal(bytes.toString('base64'), text);
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
      assert.equal(decoded(Buffer.from(text)), undefined);
    });
  }
});

test('base64 of more bytes than there is room for is refused', () => {
  assert.equal(decodeBase64(Buffer.from('AAAA'), 0, 4, Buffer.alloc(2)), -1);
});

function decoded(text: Buffer, start = 0, end = text.length): Buffer | undefined {
  const target = Buffer.alloc(text.length);
  const length = decodeBase64(text, start, end, target);
  return length === -1 ? undefined : target.subarray(0, length);
}
