import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { giveOverride, overrideAt } from './override.ts';

const NOW = new Date('2026-11-21T09:00:00Z');
const after = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000);

test('counts from when it is given until its time is over, and names who gave it', async (t) => {
  const state = join(onDisk(t), 'state');
  assert.equal(await overrideAt(state, NOW), undefined);
  await giveOverride(state, { duration: '30m', reason: '  INC-7: the disk is full ' }, NOW);
  const found = await overrideAt(state, after(29));
  assert.deepEqual([found?.reason, found?.until], ['INC-7: the disk is full', after(30).toISOString()]);
  assert.deepEqual([found?.actor.kind, found?.actor.uid], ['host', process.getuid?.()]);
  assert.equal(statSync(join(state, 'audit-override.json')).mode & 0o777, 0o600);
  assert.equal(await overrideAt(state, after(30)), undefined);
  assert.equal(await overrideAt(state, after(-1)), undefined, 'a clock that was set back');
});

test('is for a day at most, with a reason of one line', async (t) => {
  const state = onDisk(t);
  for (const [duration, reason] of [
    ['25h', 'too long'],
    ['0m', 'no time'],
    ['soon', 'no duration'],
    ['30m', 'no'],
    ['30m', 'two\nlines'],
    ['30m', 'hidden \u202e text'],
    ['30m', 'x'.repeat(501)],
  ] as const)
    await assert.rejects(giveOverride(state, { duration, reason }, NOW), { code: 'AUDIT_OVERRIDE_INVALID', exit: 2 });
  assert.equal(await overrideAt(state, NOW), undefined);
});

test('a file that says more than the command would counts for nothing', async (t) => {
  const state = onDisk(t);
  const file = join(state, 'audit-override.json');
  await giveOverride(state, { duration: '1h', reason: 'a good reason' }, NOW);
  const good = JSON.parse(readFileSync(file, 'utf8'));
  for (const text of [
    JSON.stringify({ ...good, until: '2099-01-01T00:00:00Z' }),
    JSON.stringify({ ...good, given: 'yesterday' }),
    JSON.stringify({ ...good, actor: undefined }),
    JSON.stringify({ ...good, reason: 'x'.repeat(5000) }),
    '{',
    'null',
    '[]',
  ]) {
    writeFileSync(file, text);
    assert.equal(await overrideAt(state, after(1)), undefined, text.slice(0, 80));
  }
});
