import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { CofferError } from '../../core/errors.ts';
import { ReachRule } from '../../core/trust/policy/reach-rule.ts';
import { Poll } from './poll.ts';
import { sourceFault } from './remote/faults.ts';
import type { Accepted, Source } from './source.ts';

const STATE: Accepted = {
  ...{ source: 's', commit: 'c', tree: 't', author: { name: '', email: '' }, time: 0 },
  ...{ basis: 'unsigned', held: [], returns: [], isTold: false, reach: new ReachRule(undefined, undefined) },
};

type Answer = Accepted | 'unchanged' | Error | (() => void);

/** A loop over a source that answers as it is told; time is the test's. */
function loop(t: TestContext, answers: Answer[], random = () => 0.5, interval = 1000) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ending = new AbortController();
  const seen: string[] = [];
  const poll = new Poll(
    {
      poll: async () => {
        seen.push('poll');
        const answer = answers.shift() ?? 'unchanged';
        if (answer instanceof Error) throw answer;
        if (typeof answer !== 'function') return answer;
        answer();
        return 'unchanged';
      },
    } as unknown as Source,
    {
      interval,
      signal: ending.signal,
      random,
      accepted: async () => void seen.push('accepted'),
      unchanged: async () => void seen.push('unchanged'),
      failed: () => void seen.push('failed'),
    },
  );
  const ended = poll.run();
  const settle = async (): Promise<string[]> => {
    await setImmediate();
    return seen.splice(0);
  };
  const after = async (milliseconds: number): Promise<string[]> => {
    // A wait may have two parts: the second begins when the first, of at most a second, is over.
    const first = Math.min(milliseconds, 1000);
    t.mock.timers.tick(first);
    await setImmediate();
    t.mock.timers.tick(milliseconds - first);
    return settle();
  };
  return { poll, ending, ended, settle, after };
}

describe('a poll', () => {
  test('looks at once, then at its interval, and ends with the signal', async (t) => {
    const { settle, after, ending, ended } = loop(t, [STATE]);
    assert.deepEqual(await settle(), ['poll', 'accepted']);
    assert.deepEqual(await after(999), []);
    assert.deepEqual(await after(1), ['poll', 'unchanged']);
    ending.abort();
    await ended;
    assert.deepEqual(await after(5000), []);
  });

  test('is spread by a fifth of the interval', async (t) => {
    const early = loop(t, [], () => 0);
    await early.settle();
    assert.deepEqual(await early.after(900), ['poll', 'unchanged']);
    early.ending.abort();
  });

  test('waits as long as a timer can where its interval is longer', async (t) => {
    const { settle, after, ending } = loop(t, [], undefined, 2 ** 31);
    await settle();
    assert.deepEqual(await after(2 ** 31 - 2), []);
    assert.deepEqual(await after(1), ['poll', 'unchanged']);
    ending.abort();
  });

  test('backs off while it fails, up to sixteen intervals, and is back at one when it succeeds', async (t) => {
    const failures = Array.from({ length: 6 }, () => new Error('no'));
    const { settle, after, ending } = loop(t, failures);
    assert.deepEqual(await settle(), ['poll', 'failed']);
    for (const factor of [2, 4, 8, 16, 16]) {
      assert.deepEqual(await after(factor * 1000 - 1), []);
      assert.deepEqual(await after(1), ['poll', 'failed']);
    }
    assert.deepEqual(await after(16_000), ['poll', 'unchanged']);
    assert.deepEqual(await after(1000), ['poll', 'unchanged']);
    ending.abort();
  });

  test('does not back off from a commit that is refused: what mends it is to be seen soon', async (t) => {
    const refusals = Array.from({ length: 3 }, () => new CofferError('TRUST_UNSIGNED', 'no', { advice: 'Sign it.' }));
    const { settle, after, ending } = loop(t, refusals);
    assert.deepEqual(await settle(), ['poll', 'failed']);
    for (let look = 0; look < 2; look++) assert.deepEqual(await after(1000), ['poll', 'failed']);
    ending.abort();
  });

  test('leaves a server that asks for rest alone for as long, whoever wakes it', async (t) => {
    const { poll, settle, after, ending } = loop(t, [sourceFault('SOURCE_BUSY', { address: 's', retryAfter: 90_000 })]);
    assert.deepEqual(await settle(), ['poll', 'failed']);
    poll.wake();
    assert.deepEqual(await after(98_999), []);
    assert.deepEqual(await after(1), ['poll', 'unchanged']);
    ending.abort();
  });

  test('looks at once when woken; woken again, or after a failure, a second after that look', async (t) => {
    const { poll, settle, after, ending } = loop(
      t,
      ['unchanged', 'unchanged', 'unchanged', new Error('no')],
      undefined,
      60_000,
    );
    await settle();
    poll.wake();
    assert.deepEqual(await settle(), ['poll', 'unchanged']);
    for (const result of ['unchanged', 'failed', 'unchanged']) {
      poll.wake();
      poll.wake();
      assert.deepEqual(await after(999), []);
      assert.deepEqual(await after(1), ['poll', result]);
    }
    assert.deepEqual(await after(59_999), []);
    ending.abort();
  });

  test('looks once more when it was woken while it looked', async (t) => {
    const { poll, settle, after, ending } = loop(t, ['unchanged', () => poll.wake()]);
    await settle();
    t.mock.timers.tick(1000);
    assert.deepEqual(await settle(), ['poll', 'unchanged', 'poll', 'unchanged']);
    assert.deepEqual(await after(999), []);
    ending.abort();
  });
});
