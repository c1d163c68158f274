import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExposureReport } from '../../core/exposure/exposure.ts';
import { renderExposure } from './render-table.ts';

const event = { commit: 'c', time: '2026-11-21T20:56:00Z', author: { name: 'Ada', email: 'ada@example.com' } };
const value = { state: 'live', namespace: 'payments', name: 'payments-db', paths: ['apps/payments-db.yaml'] };
const key = { kid: '3a7b9fb9bd05d29f8ce85782745cdfe7', recipient: 'production', why: 'revoked' };
const values = ['password', 'session-key'].map((entry) => ({
  ...value,
  entry,
  keys: [key],
  from: event,
  written: event,
}));
const report = {
  values,
  living: [],
  keys: [key],
  commits: 7,
  unproven: [],
  ejsonFiles: 0,
} as unknown as ExposureReport;

test('a table that is wider than the terminal has two lines for each value, and fits 80 columns', () => {
  const [head = '', row = ''] = renderExposure(report, true).split('\n');
  assert.ok(head.length > 80 && /^live .* password .* apps\/payments-db\.yaml$/.test(row), row);
  const lines = renderExposure(report, true, 80).split('\n').slice(0, 6);
  assert.deepEqual(
    lines.map((line) => line.trimEnd()),
    [
      'STATE  MANIFEST              ENTRY        FILE',
      '    READABLE BY          FROM              UNTIL  WRITTEN BY',
      'live   payments/payments-db  password     apps/payments-db.yaml',
      '    production 3a7b9fb9  2026-11-21 20:56         ada@example.com',
      'live   payments/payments-db  session-key  apps/payments-db.yaml',
      '    production 3a7b9fb9  2026-11-21 20:56         ada@example.com',
    ],
  );
});
