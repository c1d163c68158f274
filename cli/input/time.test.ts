import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeFrom } from './time.ts';

test('a day begins in UTC, and a time says its zone', () => {
  for (const [text, time] of [
    ['2026-11-21', '2026-11-21T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2026-11-21T09:00Z', '2026-11-21T09:00:00.000Z'],
    ['2026-11-21T09:00:07.5Z', '2026-11-21T09:00:07.500Z'],
    ['2026-11-21T01:30:00+02:00', '2026-11-20T23:30:00.000Z'],
  ] as const)
    assert.equal(timeFrom(text).toISOString(), time);
});

test('what is no time, or another one elsewhere, is refused', () => {
  const texts = ['yesterday', '2026', '2026-13-01', '2026-02-30', '2026-02-30T09:00Z', '2026-11-01T09', '1', ''];
  for (const text of [...texts, '2026-11-21T09:00', '2026-11-21 09:00Z', '2026-11-21T25:00Z', '2026-11-21T09:00+0100'])
    assert.throws(() => timeFrom(text), { code: 'TIME_INVALID' }, text);
});
