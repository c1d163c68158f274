import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './pages.ts';

/** A link to a file of tests, and the names of tests behind it. */
const NAMED = /\]\(\.\.\/([^)]+\.test\.ts)\)((?:,? “[^”]+”)*)/g;

test('every test that the threat model names is there, under that name', () => {
  const page = readFileSync(join(ROOT, 'docs', 'threat-model.md'), 'utf8');
  const links = [...page.matchAll(NAMED)];
  assert.ok(links.length > 150);
  for (const [, file = '', list = ''] of links) {
    const names = Array.from(list.matchAll(/“([^”]+)”/g), ([, name = '']) => name);
    assert.ok(names.length > 0, `no test of ${file} is named`);
    const code = readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(?:\/\/|\/?\*|import )/.test(line));
    for (const name of names) {
      assert.ok(name.length > 8 && code.some((line) => line.includes(name)), `${file} has no test named “${name}”`);
    }
  }
});
