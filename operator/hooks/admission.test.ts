import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from './admission.ts';

const MIB = 1024 * 1024;

/** How many of a thousand requests at one moment are read. */
function admitted(admission: Admission, address: (index: number) => string, bytes = 0): number {
  let count = 0;
  for (let index = 0; index < 1000; index++) if (admission.admits(address(index), bytes)) count++;
  return count;
}

test('a flood from one address leaves room for others', () => {
  const admission = new Admission(() => 0);
  assert.equal(
    admitted(admission, () => '192.0.2.1'),
    40,
  );
  assert.equal(admission.admits('192.0.2.2', 0), true);
});

test('a flood from everywhere has a limit too', () => {
  assert.equal(
    admitted(new Admission(() => 0), (index) => `192.0.2.${index}`),
    160,
  );
});

test('who has a whole IPv6 network is one, however its addresses are written', () => {
  const addresses = ['2001:db8:0:1::1', '2001:db8:0:1:2:3:4:5', '2001:db8:0:1:ffff::', '2001:db8::1:0:0:0:9'];
  assert.equal(
    admitted(new Admission(() => 0), (index) => addresses[index % addresses.length] ?? ''),
    40,
  );
  assert.equal(
    admitted(new Admission(() => 0), (index) => `2001:db8:0:${index % 2}::1`),
    80,
  );
  assert.equal(
    admitted(new Admission(() => 0), (index) => `::ffff:192.0.2.${index % 2}`),
    80,
  );
});

test('large bodies cost more, and time brings back five a second', () => {
  let now = 0;
  const admission = new Admission(() => now);
  assert.equal(
    admitted(admission, () => '192.0.2.1', 25 * MIB),
    1,
  );
  now = 2400;
  assert.equal(
    admitted(admission, () => '192.0.2.1', 25 * MIB),
    1,
  );
});

test('the dearest of all requests is let through, once in eight seconds', () => {
  let now = 0;
  const admission = new Admission(() => now);
  for (const expected of [1, 1, 1]) {
    assert.equal(
      admitted(admission, () => '192.0.2.1', 1000 * 25 * MIB),
      expected,
    );
    now += 8000;
  }
});
