import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Claim, ownerFindings } from './owners.ts';

function claim(file: string, recipients: string[], secret: string, namespaces: string[] = []): Claim {
  const [namespace = '', name = ''] = secret.split('/');
  return { file, line: 1, recipients: new Set(recipients), namespace, name, namespaces };
}

describe('two manifests are two owners of a secret', () => {
  const twice: [string, Claim, Claim][] = [
    ['for one recipient', claim('a', ['prod'], 'pay/db'), claim('b', ['prod'], 'pay/db')],
    ['for one of several recipients', claim('a', ['prod', 'dev'], 'pay/db'), claim('b', ['test', 'dev'], 'pay/db')],
    ['where one reaches other namespaces', claim('a', ['prod'], 'ops/ca', ['pay']), claim('b', ['prod'], 'pay/ca')],
    ['where one reaches them by a glob', claim('a', ['prod'], 'ops/ca', ['team-*']), claim('b', ['prod'], 'team-7/ca')],
    ['where both reach the same glob', claim('a', ['p'], 'a/ca', ['t-*']), claim('b', ['p'], 'b/ca', ['t-*'])],
  ];
  for (const [what, first, second] of twice) {
    test(`${what}, and the second is told of the first`, () => {
      const found = ownerFindings([first, second]);
      assert.equal(found.length, 1);
      assert.equal(found[0]?.data.file, 'b');
      assert.match(found[0]?.message ?? '', /from a:1 too$/);
    });
  }
});

describe('one name is no conflict', () => {
  const apart: [string, Claim, Claim][] = [
    ['for different recipients: environments', claim('a', ['prod'], 'pay/db'), claim('b', ['dev'], 'pay/db')],
    ['in different namespaces', claim('a', ['prod'], 'pay/db'), claim('b', ['prod'], 'shop/db')],
    ['beside a glob that does not match', claim('a', ['p'], 'ops/ca', ['team-?']), claim('b', ['p'], 'team-10/ca')],
  ];
  for (const [what, first, second] of apart) {
    test(what, () => {
      assert.deepEqual(ownerFindings([first, second]), []);
    });
  }
});

test('a name in 20,000 namespaces is compared in a moment', () => {
  const claims = Array.from({ length: 20_000 }, (_, index) => claim(`f${index}`, ['prod'], `ns-${index}/db`));
  const before = process.cpuUsage();
  assert.deepEqual(ownerFindings(claims), []);
  const { user, system } = process.cpuUsage(before);
  assert.ok((user + system) / 1000 < 2000, 'milliseconds of CPU, which other programs do not make more');
});
