import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './pages.ts';

test('every test that the threat model names is there, under that name', () => {
  const page = readFileSync(join(ROOT, 'docs', 'threat-model.md'), 'utf8');
  const named = [...page.matchAll(/\]\(\.\.\/([^)]+\.test\.ts)\) “([^”]+)”/g)];
  assert.ok(named.length > 20);
  for (const [, file = '', name = ''] of named) {
    assert.ok(readFileSync(join(ROOT, file), 'utf8').includes(name), `${file} has no test named “${name}”`);
  }
});
