import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { acceptancesOf, giveAcceptance, spendAcceptance } from './acceptances.ts';

const [ONE, TWO] = ['1'.repeat(40), '2'.repeat(40)];
const DAY = 24 * 60 * 60 * 1000;

test('a word is given for each source, counts until it is spent, and for a day at most', async (t) => {
  const state = onDisk(t);
  assert.deepEqual(await acceptancesOf(state, 'a', new Date()), []);
  await giveAcceptance(state, ['a', 'b'], ONE);
  await giveAcceptance(state, ['a', 'b'], TWO);
  const words = await acceptancesOf(state, 'a', new Date());
  assert.deepEqual(new Set(words.map(({ commit }) => commit)), new Set([ONE, TWO]));
  for (const { by } of words) assert.deepEqual([by?.kind, by?.uid], ['host', process.getuid?.()]);
  for (const word of words.filter(({ commit }) => commit === ONE)) await spendAcceptance(state, 'a', word);
  const [left, ...others] = await acceptancesOf(state, 'a', new Date());
  assert.deepEqual([left?.commit, others], [TWO, []]);
  assert.equal((await acceptancesOf(state, 'b', new Date())).length, 2);
  assert.deepEqual(await acceptancesOf(state, 'b', new Date(Date.now() + DAY + 1000)), []);
  assert.deepEqual(readdirSync(join(state, 'accepts', 'b')), []);
});

test('a word that is given anew is another one: spending the former leaves it', async (t) => {
  const state = onDisk(t);
  await giveAcceptance(state, ['a'], ONE);
  const [former] = await acceptancesOf(state, 'a', new Date());
  assert.ok(former);
  while (Date.now() <= Date.parse(former.given));
  await giveAcceptance(state, ['a'], ONE);
  await spendAcceptance(state, 'a', former);
  const [word] = await acceptancesOf(state, 'a', new Date());
  assert.equal(word?.commit, ONE);
  assert.notEqual(word.given, former.given);
});

test('what is no full commit id is nobody’s word', async (t) => {
  for (const commit of ['HEAD', ONE.slice(1), `${ONE}/`, '../../x', ONE.toUpperCase().replaceAll('1', 'A')]) {
    await assert.rejects(giveAcceptance(onDisk(t), ['a'], commit), (error) => {
      return error instanceof CofferError && error.code === 'ACCEPT_COMMIT_INVALID' && error.exit === 2;
    });
  }
});
