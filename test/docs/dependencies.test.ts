import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import packageJson from '../../package.json' with { type: 'json' };
import packageLock from '../../package-lock.json' with { type: 'json' };
import { ROOT } from './pages.ts';

/** `| [name](link) | version | why …` */
function rows(): Map<string, { version: string; reason: string }> {
  const page = readFileSync(join(ROOT, 'docs', 'dependencies.md'), 'utf8');
  const found = page.matchAll(/^\| \[([^\]]+)\]\([^)]*\) \| ([^|]+) \| ([^|]+) \|/gm);
  return new Map(
    Array.from(found, ([, name = '', version = '', reason = '']) => [name, { version: version.trim(), reason }]),
  );
}

test('each dependency has its row with its version and a reason, and no row is left over', () => {
  const documented = rows();
  const used = { ...packageJson.dependencies, ...packageJson.devDependencies };
  assert.deepEqual([...documented.keys()].toSorted(), Object.keys(used).toSorted());
  for (const [name, version] of Object.entries(used)) {
    assert.equal(documented.get(name)?.version, version, name);
    assert.ok((documented.get(name)?.reason.length ?? 0) > 15, `why ${name}?`);
  }
});

test('versions are pinned exactly', () => {
  for (const [name, version] of Object.entries({ ...packageJson.dependencies, ...packageJson.devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
});

test('the lock file names the packages of every platform, without which `npm ci` refuses', () => {
  // npm leaves out those that it could not fetch when it wrote the file.
  for (const [path, entry] of Object.entries(packageLock.packages)) {
    if (!('optionalDependencies' in entry)) continue;
    for (const name of Object.keys(entry.optionalDependencies)) {
      assert.ok(`node_modules/${name}` in packageLock.packages, `${path} may need ${name}`);
    }
  }
});
