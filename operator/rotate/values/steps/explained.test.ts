import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotationsOf } from '../../../../core/format/manifest/rotation.ts';
import { isExplained } from './explained.ts';

test('a rotation sets what a rule of the accepted manifest makes, and nothing else that somebody put into it', () => {
  const rotation = rotationsOf({
    token: { generate: { kind: 'hex' } },
    key: { generate: { kind: 'ed25519', public: 'key.pub' } },
    hand: { every: '30d' },
    password: { rotator: 'db' },
  });
  const row = { namespace: 'payments', name: 'db', rotation };
  const entriesOf = (entry: string) => [entry, 'username'];
  const rotators = { of: () => ({ entriesOf }) as unknown as ReturnType<Parameters<typeof isExplained>[2]['of']> };
  const values = (...rows: [entry: string, text?: string][]) =>
    rows.map(([entry, text]) => ({
      ...{ path: 'db.yaml', namespace: 'payments', name: 'db', entry },
      ...(text === undefined ? {} : { text }),
    }));
  for (const [is, rotated, wanted] of [
    [true, { entries: ['token'] }, values(['token', 'x'], ['token.previous', 'y'])],
    [true, { entries: ['token'] }, values(['token', 'x'], ['token.previous'])],
    [true, { entries: ['key'] }, values(['key', 'x'], ['key.pub', 'y'])],
    [true, { entries: ['password'], rotator: 'db' }, values(['password', 'x'], ['username', 'y'])],
    [false, { entries: ['token'] }, values(['token', 'x'], ['api-token', 'known'])],
    [false, { entries: ['token'] }, values(['hand', 'known'])],
    [false, { entries: ['hand'] }, values(['hand', 'known'])],
    [false, { entries: ['token'] }, values(['token'])],
    [false, { entries: ['gone'] }, values(['gone', 'x'])],
    [false, { entries: ['password'] }, values(['password', 'known'])],
    [false, { entries: ['token'], rotator: 'db' }, values(['token', 'known'])],
    [false, { entries: ['token'] }, values(['token', 'x']).map((value) => ({ ...value, name: 'other' }))],
  ] as const) {
    assert.equal(isExplained({ ...rotated, entries: [...rotated.entries], values: wanted }, row, rotators), is);
  }
});
