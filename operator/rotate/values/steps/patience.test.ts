import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CofferError } from '../../../../core/errors.ts';
import { Patience } from './patience.ts';

/** Longer than the first wait, which is a second at most. */
const LATER = 2000;

const fails = async () => {
  throw new CofferError('ROTATOR_UNREACHABLE', 'The server does not answer.', { advice: 'Start it.' });
};

test('what is being tried again, however long, calls for no look, and fails as before when it ends', async () => {
  let now = 0;
  const patience = new Patience(() => now);
  await patience.try('turn', fails);
  const first = patience.againAfter(0);
  assert.ok(first > 0 && first <= 1000);
  now = LATER;
  const hanging = Promise.withResolvers<void>();
  const turn = patience.try('turn', () => hanging.promise.then(fails));
  for (let look = 0; look < 10; look++, now += 60_000) assert.equal(patience.againAfter(patience.now), Infinity);
  hanging.resolve();
  await turn;
  assert.ok(patience.againAfter(now) > 0 && patience.againAfter(now) <= LATER);
});

test('what may be tried, but waits for something else that failed, calls for a look when that one is due', async () => {
  let now = 0;
  const patience = new Patience(() => now);
  await patience.try('turn', fails);
  now = LATER;
  await patience.try('rotator', fails);
  const again = patience.againAfter(now);
  assert.ok(again > 0 && again <= 1000);
});

test('a wait that is over before the look has ended calls for another look at once', async () => {
  let now = 0;
  const patience = new Patience(() => now);
  await patience.try('rotation', fails);
  now = LATER;
  assert.equal(patience.againAfter(0), 0);
});
