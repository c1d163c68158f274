import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT, readPages } from './pages.ts';

const pages = readPages();
const anchorsOf = new Map(pages.map((page) => [page.file, page.anchors]));

describe('a link in the documentation leads somewhere', () => {
  for (const page of pages) {
    const inside = page.links.filter(({ target }) => !/^[a-z]+:/.test(target));
    if (inside.length === 0) continue;
    test(page.file, () => {
      for (const { target, line } of inside) {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page.file : normalize(join(dirname(page.file), path));
        assert.ok(existsSync(join(ROOT, file)), `${page.file}:${line}: there is no ${file}`);
        if (anchor === undefined) continue;
        assert.ok(anchorsOf.get(file)?.has(anchor), `${page.file}:${line}: ${file} has no heading #${anchor}`);
      }
    });
  }
});
