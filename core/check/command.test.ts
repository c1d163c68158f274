import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { command } from './command.ts';

test('ordinary words stay as they are, others are quoted', () => {
  assert.equal(command('grant', 'apps/db.yaml', 'a=b,c'), '`coffer grant apps/db.yaml a=b,c`');
  assert.equal(command('grant', 'my db.yaml', '*=b'), "`coffer grant 'my db.yaml' '*=b'`");
});

test('a shell takes each word for one word, whatever a file is called', () => {
  const name = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 30 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
      const line = command(...names).slice(1, -1);
      const words = execFileSync('sh', ['-c', `coffer() { printf '%s\\0' "$@"; }; ${line}`], { encoding: 'utf8' });
      assert.deepEqual(words.split('\0').slice(0, -1), names);
    }),
    { numRuns: 50 },
  );
});
