import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { valueWarnings } from './value-warnings.ts';

describe('warnings of values that are probably not meant', () => {
  const cases: [string, string, RegExp | undefined][] = [
    ['a password', 'correct horse', undefined],
    ['an empty value', '', /empty/],
    ['one line with a line end', 'hunter2\n', /line end/],
    ['a file of several lines', 'one\ntwo\n', undefined],
    ['base64 of a text', Buffer.from('hunter2 is my password').toString('base64'), /base64/],
    ['base64 of a text, with a line end', `${Buffer.from('hunter2 is my password').toString('base64')}\n`, /base64/],
    ['a word of the alphabet', 'password', undefined],
    ['hexadecimal', 'deadbeefdeadbeefdeadbeefdeadbeef', undefined],
  ];
  for (const [what, value, wanted] of cases) {
    test(`${what}: ${wanted === undefined ? 'none' : 'warned of'}`, () => {
      const warnings = valueWarnings('entry', Buffer.from(value)).join('\n');
      if (wanted === undefined) assert.equal(warnings, '');
      else assert.match(warnings, wanted);
      if (value.trim() !== '') assert.ok(!warnings.includes(value.trim()), 'a warning repeats no value');
    });
  }

  test('base64 of random bytes, which is how keys look, is not warned of', () => {
    for (let run = 0; run < 200; run += 1)
      assert.deepEqual(valueWarnings('key', Buffer.from(randomBytes(32).toString('base64'))), []);
  });
});
