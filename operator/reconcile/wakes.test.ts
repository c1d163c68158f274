import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Wakes } from './wakes.ts';

const never = new AbortController().signal;

describe('what the cluster reports', () => {
  test('is looked at together: an object that is gone waits for others, one that changed does not', async () => {
    const [wakes, gone] = [new Wakes(), new Wakes()];
    const began = performance.now();
    wakes.object('payments/gone', true);
    wakes.object('payments/db', false);
    wakes.mirror('payments/mail');
    gone.object('payments/gone', true);
    const order: string[] = [];
    const together = wakes.wait(never).then(() => order.push('with one that changed'));
    const alone = gone.wait(never).then(() => order.push('alone'));
    await Promise.all([together, alone]);
    assert.deepEqual(order, ['with one that changed', 'alone']);
    assert.ok(performance.now() - began >= 2000);
    const reports = wakes.take();
    assert.deepEqual([...reports.objects], ['payments/gone', 'payments/db']);
    assert.deepEqual([...reports.mirrors], ['payments/mail']);
  });

  test('ends a wait that has begun, and so does a sooner time; a later one does not put it off', async () => {
    const wakes = new Wakes();
    const reported = wakes.wait(never);
    wakes.within(1_200_000);
    wakes.within(50);
    wakes.within(600_000);
    await reported;
    wakes.take();
    const again = wakes.wait(never);
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
