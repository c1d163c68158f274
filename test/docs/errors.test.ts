import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './pages.ts';

/** Literals of the same shape that are no codes of ours: variables of the environment, Node's and oclif's codes, constants of protocols. */
const NOT_CODES = new Set([
  'COFFER_KEY_DIR',
  'COFFER_PINS',
  'EAI_AGAIN',
  'EJSON_KEYDIR',
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_HEADERS_TIMEOUT',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_RUNTIME_DIR',
]);

/** Every code in the source, with the first file that has it; findings of `coffer check` have docs/checks.md. */
function codesInSource(): Map<string, string> {
  const codes = new Map<string, string>();
  for (const file of globSync('{core,cli,operator,schemas}/**/*.ts', { cwd: ROOT }).toSorted()) {
    if (file.endsWith('.test.ts')) continue;
    const source = readFileSync(join(ROOT, file), 'utf8');
    const snakes = source.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g);
    const thrown = source.matchAll(/new CofferError\(\s*'([A-Z0-9_]+)'/g);
    for (const [, code = ''] of [...snakes, ...thrown]) {
      if (code.startsWith('CHECK_') || NOT_CODES.has(code)) continue;
      if (!codes.has(code)) codes.set(code, file);
    }
  }
  return codes;
}

/** `| \`CODE\` | meaning | way out |` */
function codesOnPage(): Map<string, string[]> {
  const page = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8');
  const rows = page.matchAll(/^\| `([A-Z0-9_]+)` \|([^\n]*)\|$/gm);
  return new Map(
    Array.from(rows, ([, code = '', cells = '']) => [code, cells.split(' | ').map((cell) => cell.trim())]),
  );
}

test('docs/errors.md has every code of the source, with its meaning and the way out, and none that is gone', () => {
  const source = codesInSource();
  const page = codesOnPage();
  assert.deepEqual(
    [...source].filter(([code]) => !page.has(code)),
    [],
    'not documented',
  );
  assert.deepEqual(
    [...page.keys()].filter((code) => !source.has(code)),
    [],
    'documented, but nothing throws it',
  );
  for (const [code, [meaning, wayOut]] of page) assert.ok(meaning && wayOut, code);
});

test('docs/errors.md has its rows in order', () => {
  for (const section of readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8').split('\n## ')) {
    const codes = Array.from(section.matchAll(/^\| `([A-Z0-9_]+)` \|/gm), ([, code]) => code);
    assert.deepEqual(codes, codes.toSorted());
  }
});
