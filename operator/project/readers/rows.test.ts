import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import { readText } from '../../../test/support/sealing.ts';
import { sealedManifest, testCluster } from '../../../test/support/secrets.ts';
import { mayRefer, rowsOf } from './rows.ts';

await sodiumReady();
const production = testCluster('production');

type Reader = [name: string, ...entries: string[]];

function rows(readers: Reader[], template?: Record<string, string>): readonly string[] {
  const data = { password: '1', user: '2' };
  const manifest = JSON.parse(sealedManifest({ namespace: 'payments', name: 'db', to: [production], data }));
  manifest.spec.readers = readers.map(([name, ...entries]) => ({ name, ...(entries.length > 0 && { entries }) }));
  if (template !== undefined) manifest.spec.template = { data: template };
  const [read] = readText(JSON.stringify(manifest)).manifests;
  assert.ok(read);
  return rowsOf(read);
}

test('readers become rows: all entries by the name alone, some entry by entry', () => {
  const table: [readers: Reader[], expected: string[]][] = [
    [
      [['api'], ['worker', 'password']],
      ['api', 'worker/password'],
    ],
    [[['worker', 'password', 'user']], ['worker']],
    [[['*']], ['*']],
    [
      [
        ['*', 'user'],
        ['api', 'password'],
      ],
      ['*/user', 'api'],
    ],
    [[], []],
  ];
  for (const [readers, expected] of table) assert.deepEqual(rows(readers), expected);
});

test('a template entry is for those who may read its name and all that is in it', () => {
  const template = { URL: `${'$'}{user}:${'$'}{password}` };
  assert.deepEqual(rows([['api'], ['worker', 'URL', 'user']], template), ['api', 'worker/user']);
});

test('a reference to the whole needs all entries, one to some needs those', () => {
  const given = ['api', 'worker/password', '*/user'];
  const table: [account: string, entries: string[], expected: boolean][] = [
    ['api', [], true],
    ['api', ['password'], true],
    ['worker', [], false],
    ['worker', ['password', 'user'], true],
    ['stranger', ['user'], true],
    ['stranger', ['user', 'password'], false],
    ['stranger', [], false],
  ];
  for (const [account, entries, expected] of table) {
    assert.equal(mayRefer(given, account, { entries }), expected, `${account} ${entries}`);
  }
  assert.equal(mayRefer(['*'], 'stranger', { entries: [] }), true);
});
