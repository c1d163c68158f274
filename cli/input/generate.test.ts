import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { generateValue } from './generate.ts';

describe('generated values', () => {
  const made: [string, RegExp][] = [
    ['password', /^[A-Za-z0-9]{32}$/],
    ['password:40', /^[A-Za-z0-9]{40}$/],
    ['hex', /^[0-9a-f]{64}$/],
    ['hex:8', /^[0-9a-f]{16}$/],
    ['base64', /^[A-Za-z0-9+/]{43}=$/],
    ['base64:9', /^[A-Za-z0-9+/]{12}$/],
    ['uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  ];
  for (const [wanted, form] of made) {
    test(`${wanted} has its form, and is another each time`, () => {
      const values = Array.from({ length: 20 }, () => generateValue(wanted).toString());
      for (const value of values) assert.match(value, form);
      assert.equal(new Set(values).size, values.length);
    });
  }

  test('every letter of a password is as likely', () => {
    const counts = new Map<number, number>();
    for (let run = 0; run < 62; run += 1) {
      for (const byte of generateValue('password:1000')) counts.set(byte, (counts.get(byte) ?? 0) + 1);
    }
    assert.equal(counts.size, 62);
    // 1,000 expected of each; chi-squared with 61 degrees of freedom is above 130 once in a million runs.
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    assert.ok(chiSquared < 130, `chi-squared ${chiSquared}`);
  });

  const refused: [string, string][] = [
    ['pin', 'GENERATE_KIND'],
    ['', 'GENERATE_KIND'],
    ['hex:16:2', 'GENERATE_KIND'],
    ['password:7', 'GENERATE_LENGTH'],
    ['password:1025', 'GENERATE_LENGTH'],
    ['hex:', 'GENERATE_LENGTH'],
    ['base64:1e2', 'GENERATE_LENGTH'],
    ['uuid:4', 'GENERATE_LENGTH'],
  ];
  for (const [wanted, code] of refused) {
    test(`refuses "${wanted}"`, () => {
      assert.throws(
        () => generateValue(wanted),
        (error) => error instanceof CofferError && error.code === code && error.exit === 2,
      );
    });
  }
});
