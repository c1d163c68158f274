import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { commitOf, never, Watching } from '../../test/operator/watching.ts';

const { cache } = createRequire(import.meta.url);

/** Those of the large libraries that this process has loaded; all of them are CommonJS. */
function loaded(): string[] {
  const names = ['undici', 'isomorphic-git', 'ssh2'];
  return names.filter((name) => Object.keys(cache).some((file) => file.includes(`/node_modules/${name}/`)));
}

test('a source loads the libraries of its own transport only, and those of a fetch when there is one', async (t) => {
  const bench = await Watching.open(t);
  const commit = await bench.tree.commit({ a: '1' });
  assert.equal(await commitOf(await bench.source({ url: bench.tree.directory })), commit);
  assert.deepEqual(loaded(), []);
  const { url } = await bench.serve();
  const missing = await bench.source({ url, allowHttp: true, branch: 'missing' });
  await assert.rejects(missing.poll(never));
  assert.deepEqual(loaded(), ['undici']);
  assert.equal(await commitOf(await bench.source({ url, allowHttp: true })), commit);
  assert.deepEqual(loaded(), ['undici', 'isomorphic-git']);
});
