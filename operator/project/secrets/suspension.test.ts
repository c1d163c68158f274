import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONGEST_SUSPENSION, suspensionOf } from './suspension.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');

for (const [text, expected] of [
  [undefined, { kind: 'none' }],
  ['2026-11-21T13:00:00Z', { kind: 'until', time: NOW + 3_600_000 }],
  ['2026-11-21t14:00:00.5+01:00', { kind: 'until', time: NOW + 3_600_500 }],
  ['2026-11-21T11:00:00Z', { kind: 'until', time: NOW - 3_600_000 }],
  [new Date(NOW + LONGEST_SUSPENSION).toISOString(), { kind: 'until', time: NOW + LONGEST_SUSPENSION }],
  [new Date(NOW + LONGEST_SUSPENSION + 1000).toISOString(), { kind: 'wrong' }],
  ['2026-11-21T13:00:00', { kind: 'wrong' }],
  ['2026-11-21', { kind: 'wrong' }],
  ['2026-13-45T13:00:00Z', { kind: 'wrong' }],
  ['forever', { kind: 'wrong' }],
  ['', { kind: 'wrong' }],
] as const) {
  test(`${text === undefined ? 'no annotation' : JSON.stringify(text)}: ${expected.kind}`, () => {
    const annotations: Record<string, string> = text === undefined ? {} : { 'coffer.dev/suspend-until': text };
    assert.deepEqual(suspensionOf({ name: 'x', annotations }, NOW), expected);
  });
}
