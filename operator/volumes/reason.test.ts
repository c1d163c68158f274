import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReason } from './reason.ts';

test('a reason is one line of plain text', () => {
  assert.equal(readReason('  INC-42: rotate by hand — ärgerlich  '), 'INC-42: rotate by hand — ärgerlich');
  const refused = [
    '',
    '  ',
    'no',
    undefined,
    42,
    'a\nb c',
    'a\u001b[2Jbc',
    'abc\u202edef',
    'abc\u2028d',
    'x'.repeat(501),
  ];
  for (const reason of refused)
    assert.throws(() => readReason(reason), { code: 'BREAK_GLASS_REASON' }, JSON.stringify(reason));
});
