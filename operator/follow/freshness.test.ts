import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SourceStatus } from '../status/status.ts';
import { Freshness } from './freshness.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-01-01T00:00:00.000Z');
const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString();

async function stateDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'coffer-freshness-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

test('a source alarms when no look succeeded, or nothing new came, for longer than it may be', async (t) => {
  let now = START;
  const git = { staleAfter: '10m', quietAfter: '30m' };
  const freshness = new Freshness({
    sources: [{ id: 's', git }],
    stateDirectory: await stateDirectory(t),
    now: () => now,
  });
  const status: SourceStatus = { id: 's', address: 'x', held: [], refused: [], problems: [], acceptedAt: at(-10) };
  const seen = (minutes: number, acceptedAt = status.acceptedAt) => {
    now = START + minutes * MINUTE;
    const { problems, lastSuccess, staleSince, quietSince } = freshness.of({ ...status, acceptedAt: acceptedAt ?? '' });
    return [problems.map(({ code }) => code).join(), lastSuccess, staleSince, quietSince];
  };
  assert.deepEqual(seen(10), ['', undefined, undefined, undefined]);
  assert.deepEqual(seen(11), ['SOURCE_STALE', undefined, at(0), undefined]);
  await freshness.looked('s', 'succeeded');
  assert.deepEqual(seen(20), ['', at(11), undefined, undefined]);
  assert.deepEqual(seen(21), ['SOURCE_QUIET', at(11), undefined, at(-10)]);
  assert.deepEqual(seen(22), ['SOURCE_STALE,SOURCE_QUIET', at(11), at(11), at(-10)]);
  await freshness.looked('s', 'succeeded');
  assert.deepEqual(seen(30, at(5)), ['', at(22), undefined, undefined]);
});

test('absent, an hour without a look is too long, and nothing is ever too quiet', async (t) => {
  let now = START;
  const freshness = new Freshness({
    sources: [{ id: 's', git: {} }],
    stateDirectory: await stateDirectory(t),
    now: () => now,
  });
  const status: SourceStatus = { id: 's', address: 'x', held: [], refused: [], problems: [], acceptedAt: at(-1e6) };
  now = START + 60 * MINUTE;
  assert.deepEqual(freshness.of(status).problems, []);
  now += 1;
  assert.equal(freshness.of(status).problems[0]?.code, 'SOURCE_STALE');
});

test('a restart makes no silent source fresh: what was seen last is remembered, to the minute', async (t) => {
  let now = START;
  const directory = await stateDirectory(t);
  const status: SourceStatus = { id: 's', address: 'x', held: [], refused: [], problems: [] };
  const start = async (...ids: string[]) => {
    const sources = ids.map((id) => ({ id, git: { staleAfter: '10m' } }));
    const freshness = new Freshness({ sources, stateDirectory: directory, now: () => now });
    await freshness.recall();
    const stale = (id: string) => freshness.of({ ...status, id }).staleSince;
    return { freshness, stale, success: (id: string) => freshness.of({ ...status, id }).lastSuccess };
  };
  const first = await start('s', 'never');
  now = START + 5 * MINUTE;
  await first.freshness.looked('s', 'succeeded');
  now += MINUTE / 2;
  await first.freshness.looked('s', 'succeeded');

  now = START + 30 * MINUTE;
  const second = await start('s', 'never', 'new');
  assert.equal(second.success('s'), at(5));
  assert.equal(second.success('never'), undefined);
  assert.equal(second.stale('s'), undefined, 'the first look is under way');
  for (const id of ['s', 'never', 'new']) await second.freshness.looked(id, 'failed');
  assert.deepEqual(['s', 'never', 'new'].map(second.stale), [at(5), at(0), undefined]);
  await second.freshness.looked('s', 'succeeded');
  assert.equal(second.stale('s'), undefined);

  now = START + 60 * MINUTE;
  const third = await start('s');
  now += 11 * MINUTE;
  assert.equal(third.stale('s'), at(30), 'a look that does not end is none');
});

test('a clock that was ahead, and a file that is none, make nothing fresh for longer than a new state', async (t) => {
  const directory = await stateDirectory(t);
  const sources = [{ id: 's', git: { staleAfter: '10m' } }];
  const status: SourceStatus = { id: 's', address: 'x', held: [], refused: [], problems: [] };
  for (const left of ['', '[', 'null', '{"s":1}', '{"s":["no time",true]}', `{"s":["${at(1e9)}",true]}`]) {
    await writeFile(join(directory, 'looked.json'), left);
    let now = START;
    const freshness = new Freshness({ sources, stateDirectory: directory, now: () => now });
    await freshness.recall();
    assert.equal(freshness.of(status).lastSuccess, undefined, left);
    now += 11 * MINUTE;
    assert.equal(freshness.of(status).staleSince, at(0), left);
    assert.equal(await readFile(join(directory, 'looked.json'), 'utf8'), `{"s":["${at(0)}",false]}\n`);
  }
});

test('what cannot be read keeps no operator from starting, and looks are noted as soon as they can be', async (t) => {
  const directory = await stateDirectory(t);
  const file = join(directory, 'looked.json');
  // Which the system refuses to read, and to replace.
  await mkdir(file);
  const freshness = new Freshness({ sources: [{ id: 's', git: {} }], stateDirectory: directory, now: () => START });
  await freshness.recall();
  await rmdir(file);
  await freshness.looked('s', 'succeeded');
  assert.equal(await readFile(file, 'utf8'), `{"s":["${at(0)}",true]}\n`);
});
