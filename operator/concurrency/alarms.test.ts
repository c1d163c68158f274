import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarms } from './alarms.ts';

test('an alarm rings no sooner than it was set for, also where the clock was set back meanwhile', async () => {
  let setBack = 0;
  const now = () => Date.now() - setBack;
  const rung = Promise.withResolvers<number>();
  const alarms = new Alarms(now, () => rung.resolve(now()));
  const time = now() + 20;
  alarms.at(time, 'db');
  setBack = 50;
  // Alarms keep no process alive.
  const alive = setInterval(() => {}, 1000);
  assert.ok((await rung.promise) >= time);
  clearInterval(alive);
});
