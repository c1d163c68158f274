import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Wakes } from './wakes.ts';

/** Timers may fire this much early. */
const SLACK = 5;

async function waited(wakes: Wakes, signal = new AbortController().signal): Promise<number> {
  const began = performance.now();
  await wakes.wait(signal);
  return performance.now() - began;
}

describe('what the cluster reports', () => {
  test('is looked at together: an object that is gone waits for others, one that changed does not', async () => {
    const wakes = new Wakes();
    wakes.object('payments/gone', true);
    wakes.object('payments/db', false);
    wakes.mirror('payments/mail');
    assert.ok((await waited(wakes)) < 1500);
    const reports = wakes.take();
    assert.deepEqual([...reports.objects], ['payments/gone', 'payments/db']);
    assert.deepEqual([...reports.mirrors], ['payments/mail']);
    wakes.object('payments/gone', true);
    assert.ok((await waited(wakes)) >= 2000 - SLACK);
  });

  test('ends a wait that has begun, and so does a sooner time; a later one does not put it off', async () => {
    const wakes = new Wakes();
    const reported = waited(wakes);
    wakes.within(10_000);
    wakes.within(50);
    wakes.within(5000);
    assert.ok((await reported) < 2500);
    wakes.take();
    const again = waited(wakes);
    wakes.namespaces();
    await again;
    assert.equal(wakes.take().areNamespacesOthers, true);
  });

  test('waits without end where nothing is due, until the signal', async () => {
    const wakes = new Wakes();
    const ending = new AbortController();
    const waiting = wakes.wait(ending.signal);
    ending.abort();
    await waiting;
    wakes.at(Number.POSITIVE_INFINITY);
    await wakes.wait(AbortSignal.timeout(10));
  });
});
