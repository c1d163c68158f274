import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { privateCacheDirectory } from './compile-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'coffer-compile-cache-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('the folder of compiled code', () => {
  test('is made for its owner alone', () => {
    const cache = privateCacheDirectory({ XDG_CACHE_HOME: join(folder, 'fresh') });
    assert.equal(cache, join(folder, 'fresh/coffer/compiled'));
    assert.equal(statSync(join(folder, 'fresh/coffer/compiled')).mode & 0o777, 0o700);
  });

  const unfit: [string, (base: string) => void][] = [
    [
      'others may write into it',
      (base) => {
        mkdirSync(join(base, 'coffer/compiled'), { recursive: true });
        chmodSync(join(base, 'coffer/compiled'), 0o777);
      },
    ],
    [
      'it is a link to somewhere else',
      (base) => {
        mkdirSync(join(base, 'coffer'), { recursive: true });
        symlinkSync(tmpdir(), join(base, 'coffer/compiled'));
      },
    ],
    ['the home is a file', (base) => writeFileSync(base, '')],
  ];
  for (const [what, prepare] of unfit) {
    test(`is not used where ${what}`, () => {
      const base = join(folder, what);
      prepare(base);
      assert.equal(privateCacheDirectory({ XDG_CACHE_HOME: base }), undefined);
    });
  }
});
