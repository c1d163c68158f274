import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAuditLog } from '../../core/audit/open-log.ts';
import { Retention } from '../../core/audit/writer/retention.ts';
import { testSigner } from '../support/log-signer.ts';
import { fill, logDirectory, options } from './written-log.ts';

const HOUR = 3_600_000;
const keep = 400 * 24 * HOUR;
const written = Date.parse('2026-11-21T09:00:00Z');
const RIGHT = new Date(written + 24 * HOUR);
const AHEAD = new Date(written + 2 * keep);

test('a clock that is ahead at a start, or now and then, makes nothing be forgotten; what a whole day calls old is', async (t) => {
  const directory = logDirectory(t);
  const log = await openAuditLog(directory, options(testSigner()));
  await fill(log, 1000);
  await log.sign();
  const isThere = () => ['000', '001', '002'].map((name) => existsSync(join(directory, 'tile/entries', name)));
  let [hours, clock] = [0, AHEAD];
  const begin = () => new Retention(directory, log, { keep, now: () => clock, uptime: () => hours * HOUR });
  const lookFor = async (retention: Retention, count: number, at: (hour: number) => Date) => {
    for (let hour = 0; hour < count; hour++, hours++) {
      clock = at(hour);
      await retention.prune(768);
    }
  };
  for (let start = 0; start < 3; start++) await lookFor(begin(), 5, () => AHEAD);
  const retention = begin();
  await lookFor(retention, 80, (hour) => (hour % 7 === 0 ? AHEAD : RIGHT));
  assert.deepEqual(isThere(), [true, true, true]);
  assert.equal(log.size, 1000);
  await lookFor(retention, 49, () => AHEAD);
  assert.deepEqual(isThere(), [false, false, true]);
  assert.equal(log.size, 1001);
  await log.close();
});

test('whoever closes it waits for a look that is under way, which removes nothing after that', async (t) => {
  const directory = logDirectory(t);
  const log = await openAuditLog(directory, options(testSigner()));
  await fill(log, 1000);
  await log.sign();
  const [asked, allowed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const pruner = {
    append: async () => {
      asked.resolve();
      await allowed.promise;
    },
  };
  let uptime = 0;
  const retention = new Retention(directory, pruner, { keep, now: () => AHEAD, uptime: () => uptime });
  await retention.prune(768);
  uptime = 24 * HOUR;
  const looking = retention.prune(768);
  await asked.promise;
  let isClosed = false;
  const closing = retention.close().then(() => {
    isClosed = true;
  });
  await new Promise(setImmediate);
  assert.equal(isClosed, false);
  allowed.resolve();
  await closing;
  await looking;
  assert.deepEqual(
    ['000', '001', '002'].map((name) => existsSync(join(directory, 'tile/entries', name))),
    [true, true, true],
  );
  await log.close();
});
