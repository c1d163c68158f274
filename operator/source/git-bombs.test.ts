import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { code, commitOf, never, Watching } from '../../test/operator/watching.ts';
import type { WorkTree } from '../../test/servers/work-tree.ts';

type Make = (tree: WorkTree) => Promise<string>;

async function commitTree(tree: WorkTree, oid: string): Promise<string> {
  const commit = await tree.git('commit-tree', '-p', 'HEAD', '-m', 'bomb', oid);
  await tree.git('reset', '-q', '--soft', commit);
  return commit;
}

async function tenfold(tree: WorkTree, depth: number): Promise<string> {
  const blob = await tree.writeObject('blob', Buffer.from('x'));
  const id = (oid: string) => Buffer.from(oid, 'hex');
  let oid = await tree.writeObject('tree', Buffer.concat([Buffer.from('100644 f.yaml\0'), id(blob)]));
  for (let i = 0; i < depth; i++) {
    const entries = [...'0123456789'].flatMap((name) => [Buffer.from(`40000 ${name}\0`), id(oid)]);
    oid = await tree.writeObject('tree', Buffer.concat(entries));
  }
  return oid;
}

/** By hand: git makes none of these itself, and takes them all. */
const COMMITS: Record<string, [make: Make, refusal: string]> = {
  'names ten thousand million files by eleven trees': [
    async (tree) => commitTree(tree, await tenfold(tree, 10)),
    'SOURCE_TOO_LARGE',
  ],
};

describe('a commit that is small to push and without end to read', () => {
  for (const [what, [make, refusal]] of Object.entries(COMMITS)) {
    for (const place of ['a path', 'http://']) {
      test(`is refused, and what was accepted stays: it ${what}, at ${place}`, async (t) => {
        const bench = await Watching.open(t);
        const config =
          place === 'a path' ? { url: bench.tree.directory } : { url: (await bench.serve()).url, allowHttp: true };
        const first = await bench.tree.commit({ 'a.yaml': '1' });
        const source = await bench.source(config);
        assert.equal(await commitOf(source), first);
        await make(bench.tree);
        await assert.rejects(source.poll(never), code(refusal));
        assert.equal((await source.accepted())?.commit, first);
        await bench.tree.git('reset', '-q', '--hard', first);
        const next = await bench.tree.commit({ 'a.yaml': '2' });
        assert.equal(await commitOf(source), next);
      });
    }
  }
});
