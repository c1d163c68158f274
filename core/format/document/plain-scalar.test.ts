import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CORE_SCHEMA, load, YAML11_SCHEMA } from 'js-yaml';
import fc from '../../../test/support/properties.ts';
import { AMBIGUOUS, isAmbiguousPlain, plainValue } from './plain-scalar.ts';

describe('plain scalars', () => {
  const refused = [
    ['', '~', 'null', 'Null', 'NULL', '=', '<<'],
    ['y', 'Y', 'n', 'N', 'yes', 'No', 'ON', 'off', 'true', 'False', 'TRUE'],
    ['0', '-1', '+12', '012', '0o17', '0x1F', '0X1f', '0b1', '0B1', '1_000', '0_7', '-0x_1', '08'],
    ['1.5', '.5', '1.', '-.5', '1e3', '1E+3', '1e400', '1.5e-3', '1_0.5', '.inf', '-.INF', '+.Inf', '.nan', '.NaN'],
    ['12:30', '12:30:45', '1:00.5', '190:20:30.15'],
    ['2026-01-01', '2026-1-1T1:00:00Z', '2026-01-01 12:00:00', '2026-01-01t12:00:00.5 +1'],
  ].flat();
  for (const text of refused) test(`${JSON.stringify(text)} is ambiguous`, () => assert.ok(isAmbiguousPlain(text)));

  const strings = [
    'nO',
    'yEs',
    'nul',
    'x1',
    '1x',
    '0x',
    '0xg',
    '1.2.3',
    '10.0.0.1',
    '1-2',
    '-',
    '+',
    '.',
    '..',
    'e3',
    'v1',
  ];
  for (const text of [...strings, 'CF[1:x]', 'a=b', '2026-01', '12:99']) {
    test(`${JSON.stringify(text)} is a string`, () => assert.ok(!isAmbiguousPlain(text)));
  }

  test('whatever js-yaml reads as something else than a string, in YAML 1.1 or 1.2, is ambiguous', () => {
    const pieces = [
      '0',
      '1',
      '9',
      '7',
      '.',
      '-',
      '+',
      '_',
      ':',
      'e',
      'E',
      'x',
      'o',
      'b',
      'T',
      'Z',
      'inf',
      'nan',
      'y',
      'on',
    ];
    const text = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 10 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (plain) => {
        // Not what begins a document, a list item or a field.
        fc.pre(!/^(?:---|\.\.\.|-$|:)|:$/.test(plain));
        const readings = [CORE_SCHEMA, YAML11_SCHEMA].map((schema) => load(plain, { schema }));
        if (readings.some((value) => typeof value !== 'string')) assert.ok(isAmbiguousPlain(plain), plain);
      }),
      { numRuns: 5000 },
    );
  });

  test('what all readers agree on has its value', () => {
    const cases: [string, unknown][] = [
      ['true', true],
      ['false', false],
      ['null', null],
      ['1001', 1001],
      ['-3', -3],
      ['0.5', 0.5],
      ['text', 'text'],
      ['on', AMBIGUOUS],
      ['012', AMBIGUOUS],
      ['1e400', AMBIGUOUS],
      ['2026-01-01', AMBIGUOUS],
    ];
    for (const [text, value] of cases) assert.equal(plainValue(text), value, text);
  });
});
