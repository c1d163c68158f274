import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Keyring } from '../../core/keys/keyring.ts';
import { reportOf } from './report.ts';

const keyring: Keyring = { recipients: new Map(), problems: [] };
const wanted = [{ namespace: 'shop', name: 'web', path: 'web.yaml', blob: 'b', recipients: ['production'] }];
const empty = { place: 'edge', commits: [], secrets: [], problems: [] };
const report = (cluster?: string) =>
  reportOf({ ...empty, ...(cluster && { cluster }) }, { root: '.', keyring, wanted, now: new Date() });

test('an operator that has nothing yet is not done with a commit that has secrets', async () => {
  const own = await report('production');
  assert.deepEqual([own.isDone, own.secrets.map(({ state }) => state)], [false, ['missing']]);
  assert.equal((await report()).isDone, false);
  // Nothing of the commit is for this one.
  assert.equal((await report('staging')).isDone, true);
});
