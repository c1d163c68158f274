import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Retries } from './retries.ts';

const middle = () => 0.5;

describe('a back-off', () => {
  test('doubles with each failure up to the longest, and begins anew when it was forgotten', () => {
    const retries = new Retries({ first: 1000, longest: 300_000, random: middle });
    const waits: number[] = [];
    for (let failure = 0; failure < 11; failure++) {
      retries.failed('payments/db', 0);
      waits.push(retries.next);
    }
    assert.deepEqual(
      waits,
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000),
    );
    retries.forget('payments/db');
    retries.failed('payments/db', 0);
    assert.equal(retries.next, 1000);
  });

  test('differs by a tenth in both directions, so that those that failed together are tried apart', () => {
    const waits = [0, 1].map((chance) => {
      const retries = new Retries({ first: 1000, longest: 300_000, random: () => chance });
      retries.failed('payments/db', 0);
      return retries.next;
    });
    assert.deepEqual(waits, [900, 1100]);
  });

  test('gives each that is due once, and none before its time', () => {
    const retries = new Retries({ first: 1000, longest: 300_000, random: middle });
    retries.failed('payments/db', 0);
    retries.failed('payments/mail', 500);
    assert.deepEqual(retries.take(999), []);
    assert.deepEqual(retries.take(1000), ['payments/db']);
    assert.deepEqual(retries.take(1001), []);
    assert.equal(retries.next, 1500);
    retries.failed('payments/db', 1001);
    assert.equal(retries.next, 1500);
    assert.deepEqual(retries.take(3001), ['payments/db', 'payments/mail']);
  });
});
