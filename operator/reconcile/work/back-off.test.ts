import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BackOff } from './back-off.ts';

const middle = () => 0.5;

describe('a back-off', () => {
  test('doubles with each failure up to the longest, and begins anew when it was forgotten', () => {
    const backOff = new BackOff({ first: 1000, longest: 300_000, random: middle });
    const waits: number[] = [];
    for (let failure = 0; failure < 11; failure++) {
      backOff.failed('payments/db', 0);
      waits.push(backOff.next);
    }
    assert.deepEqual(
      waits,
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000),
    );
    backOff.forget('payments/db');
    backOff.failed('payments/db', 0);
    assert.equal(backOff.next, 1000);
  });

  test('differs by a tenth in both directions, so that those that failed together are tried apart', () => {
    const waits = [0, 1].map((chance) => {
      const backOff = new BackOff({ first: 1000, longest: 300_000, random: () => chance });
      backOff.failed('payments/db', 0);
      return backOff.next;
    });
    assert.deepEqual(waits, [900, 1100]);
  });

  test('gives each that is due once, and none before its time', () => {
    const backOff = new BackOff({ first: 1000, longest: 300_000, random: middle });
    backOff.failed('payments/db', 0);
    backOff.failed('payments/mail', 500);
    assert.deepEqual(backOff.take(999), []);
    assert.deepEqual(backOff.take(1000), ['payments/db']);
    assert.deepEqual(backOff.take(1001), []);
    assert.equal(backOff.next, 1500);
    backOff.failed('payments/db', 1001);
    assert.equal(backOff.next, 1500);
    assert.deepEqual(backOff.take(3001), ['payments/db', 'payments/mail']);
  });
});
