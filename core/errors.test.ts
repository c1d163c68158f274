import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bug, CofferError, nothingFor, orNothing } from './errors.ts';

const ERROR = new CofferError('ENTRY_NAME', 'no such name', { advice: 'Choose another.' });

test('what was asked for is nothing, and every other error is thrown on', async () => {
  const fails = (error: Error) => (): string => {
    throw error;
  };
  for (const codes of [[], ['KEYS_NONE', 'ENTRY_NAME']]) {
    assert.equal(orNothing(fails(ERROR), ...codes), undefined);
    assert.equal(await Promise.reject(ERROR).catch(nothingFor(...codes)), undefined);
  }
  for (const [error, codes] of [
    [ERROR, ['KEYS_NONE']],
    [new Bug('ours'), []],
    [new TypeError('ours too'), []],
  ] as const) {
    assert.throws(() => orNothing(fails(error), ...codes), error);
    await assert.rejects(Promise.reject(error).catch(nothingFor(...codes)), error);
  }
  assert.equal(
    orNothing(() => 'made'),
    'made',
  );
});
