import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { appendQuoted, unquote } from './json-string.ts';
import { SecretBytes } from './secret-bytes.ts';

function unquoteText(token: string): string | undefined {
  const bytes = Buffer.from(token);
  return unquote(bytes, 0, bytes.length)?.toString('utf8');
}

function quote(content: string): string {
  const output = new SecretBytes(0);
  appendQuoted(output, Buffer.from(content));
  return output.bytes().toString('utf8');
}

const wellFormed = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed());

describe('a JSON string', () => {
  test('unquotes to what JSON.parse reads, however it is escaped', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(wellFormed, fc.boolean())), (pieces) => {
        const token = `"${pieces.map(([text, spelledOut]) => (spelledOut ? escapeAll(text) : JSON.stringify(text).slice(1, -1))).join('')}"`;
        assert.equal(unquoteText(token), JSON.parse(token));
      }),
    );
  });

  test('is quoted so that unquoting gives it back', () => {
    fc.assert(fc.property(wellFormed, (content) => assert.equal(unquoteText(quote(content)), content)));
  });

  for (const [content, quoted] of [
    ['', '""'],
    ['a"\\/b', '"a\\"\\\\/b"'],
    ['<&>', '"\\u003c\\u0026\\u003e"'],
    ['\n\r\t\b\f\u0000\u001f\u007f', '"\\n\\r\\t\\u0008\\u000c\\u0000\\u001f\u007f"'],
    ['\u2027\u2028\u2029\u202a\u20ac\u2068', '"\u2027\\u2028\\u2029\u202a\u20ac\u2068"'],
    ['é😀', '"é😀"'],
  ] as const) {
    test(`is spelled as the ejson tool spells it: ${quoted}`, () => assert.equal(quote(content), quoted));
  }

  for (const half of ['\\ud800', '\\udfff', '\\ud800\\ud800', '\\ud83dx', '\\ude00\\ud83d']) {
    test(`with half a surrogate pair is no text: ${half}`, () => assert.equal(unquoteText(`"${half}"`), undefined));
  }
});

function escapeAll(text: string): string {
  return text.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
