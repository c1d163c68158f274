import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceStatus } from '../status/status.ts';
import { Freshness } from './freshness.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-01-01T00:00:00.000Z');
const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString();

test('a source alarms when no look succeeded, or nothing new came, for longer than it may be', () => {
  let now = START;
  const git = { staleAfter: '10m', quietAfter: '30m' };
  const freshness = new Freshness([{ id: 's', git }], () => now);
  const status: SourceStatus = { id: 's', address: 'x', held: [], refused: [], problems: [], acceptedAt: at(-10) };
  const seen = (minutes: number, acceptedAt = status.acceptedAt) => {
    now = START + minutes * MINUTE;
    const { problems, lastSuccess, staleSince, quietSince } = freshness.of({ ...status, acceptedAt: acceptedAt ?? '' });
    return [problems.map(({ code }) => code).join(), lastSuccess, staleSince, quietSince];
  };
  assert.deepEqual(seen(10), ['', undefined, undefined, undefined]);
  assert.deepEqual(seen(11), ['SOURCE_STALE', undefined, at(0), undefined]);
  freshness.succeeded('s');
  assert.deepEqual(seen(20), ['', at(11), undefined, undefined]);
  assert.deepEqual(seen(21), ['SOURCE_QUIET', at(11), undefined, at(-10)]);
  assert.deepEqual(seen(22), ['SOURCE_STALE,SOURCE_QUIET', at(11), at(11), at(-10)]);
  freshness.succeeded('s');
  assert.deepEqual(seen(30, at(5)), ['', at(22), undefined, undefined]);
});

test('absent, an hour without a look is too long, and nothing is ever too quiet', () => {
  let now = START;
  const freshness = new Freshness([{ id: 's', git: {} }], () => now);
  const status: SourceStatus = { id: 's', address: 'x', held: [], refused: [], problems: [], acceptedAt: at(-1e6) };
  now = START + 60 * MINUTE;
  assert.deepEqual(freshness.of(status).problems, []);
  now += 1;
  assert.equal(freshness.of(status).problems[0]?.code, 'SOURCE_STALE');
});
