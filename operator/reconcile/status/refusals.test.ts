import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CofferError } from '../../../core/errors.ts';
import { Refusals } from './refusals.ts';

const refused = (commit: string) => new CofferError('TRUST_UNSIGNED', 'no', { advice: 'Sign.', data: { commit } });

test('a server that shows refused commits in turn does not fill the log', () => {
  const refusals = new Refusals();
  const said: number[] = [];
  for (let look = 0; look < 20; look++) {
    said.push(refusals.refused('s', refused(look % 2 === 0 ? 'one' : 'two'), []).length);
    said.push(refusals.refused('s', undefined, []).length);
  }
  assert.equal(
    said.reduce((sum, count) => sum + count),
    2,
  );
});

test('what is remembered of refusals has a bound, and the oldest are forgotten first', () => {
  const refusals = new Refusals();
  const count = (commit: string) => refusals.refused('s', refused(commit), []).length;
  for (let look = 0; look <= 2000; look++) assert.equal(count(`${look}`), 1);
  assert.equal(count('1'), 0);
  assert.equal(count('0'), 1);
});
