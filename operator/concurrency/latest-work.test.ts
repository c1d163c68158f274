import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatestWork } from './latest-work.ts';

test('what is asked for while it is under way is done once more, after it, and never beside it', async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const work = new LatestWork(() => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    return gate.promise;
  });
  work.ask();
  assert.equal(gates.length, 0);
  await Promise.resolve();
  await Promise.resolve();
  for (let again = 0; again < 3; again++) work.ask();
  assert.equal(gates.length, 1);
  gates[0]?.resolve();
  while (gates.length < 2) await Promise.resolve();
  gates[1]?.resolve();
  await work.settled();
  assert.equal(gates.length, 2);
});

test('a failure is thrown at who asks next, and the work goes on', async () => {
  let count = 0;
  const work = new LatestWork(async () => {
    if (++count === 1) throw new Error('once');
  });
  work.ask();
  await work.settled();
  assert.throws(() => work.ask(), { message: 'once' });
  work.ask();
  await work.settled();
  assert.equal(count, 2);
});

test('closing ends it by its signal, and begins nothing more', async () => {
  let count = 0;
  const work = new LatestWork(async (signal) => {
    count += 1;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    signal.throwIfAborted();
  });
  work.ask();
  await Promise.resolve();
  await Promise.resolve();
  work.ask();
  await work.close();
  work.ask();
  await work.settled();
  assert.equal(count, 1);
});
