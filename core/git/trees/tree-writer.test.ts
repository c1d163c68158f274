import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WorkTree } from '../../../test/servers/work-tree.ts';
import fc from '../../../test/support/properties.ts';
import { writeLoose } from '../objects/loose-object.ts';
import { openRepository } from '../repository.ts';
import { type Replacement, replacePaths } from './tree-writer.ts';

let root: string;
let tree: WorkTree;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-trees-'));
  tree = await WorkTree.init(join(root, 'team'));
});
after(() => rm(root, { recursive: true }));

const segment = fc.constantFrom('a', 'b', 'a.b', 'a-b', 'ab', '__proto__', 'ä');
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
/** A path is not also the folder of another. */
const files = fc
  .dictionary(path, fc.constantFrom('1', '2', '3'), { maxKeys: 10, noNullPrototype: true })
  .map(
    (all) =>
      new Map(Object.entries(all).filter(([name]) => !Object.keys(all).some((other) => other.startsWith(`${name}/`)))),
  );

async function committed(wanted: ReadonlyMap<string, string>): Promise<string> {
  await tree.git('rm', '-rq', '--ignore-unmatch', '.');
  const commit = await tree.commit(Object.fromEntries(wanted));
  return tree.git('rev-parse', `${commit}^{tree}`);
}

describe('a tree with some paths replaced', () => {
  test('is the one that git makes of the same files', async () => {
    await fc.assert(
      fc.asyncProperty(files, files, async (old, now) => {
        const [before, wanted] = [await committed(old), await committed(now)];
        const repository = await openRepository(tree.directory);
        const replacements = new Map<string, Replacement | undefined>();
        for (const name of old.keys()) if (!now.has(name)) replacements.set(name, undefined);
        for (const name of now.keys()) {
          const entry = await repository.entryAt(wanted, name);
          if (entry !== undefined) replacements.set(name, { mode: entry.mode, oid: entry.oid });
        }
        const objects = join(tree.directory, '.git', 'objects');
        const made = replacePaths(repository, (type, bytes) => writeLoose(objects, type, bytes), before, replacements);
        assert.equal(made, wanted);
        await tree.git('fsck', '--strict', made);
      }),
      { numRuns: 25 },
    );
  });

  test('keeps the folders beside, and names that are no text, as they are', async () => {
    const blob = await tree.writeObject('blob', Buffer.from('x'));
    const odd = Buffer.concat([
      Buffer.from('100644 '),
      Buffer.from([0xff]),
      Buffer.from('\0'),
      Buffer.from(blob, 'hex'),
    ]);
    const plain = Buffer.concat([Buffer.from('100644 a\0'), Buffer.from(blob, 'hex')]);
    const before = await tree.writeObject('tree', Buffer.concat([plain, odd]));
    const repository = await openRepository(tree.directory);
    const objects = join(tree.directory, '.git', 'objects');
    const written: string[] = [];
    const write = (type: 'commit' | 'tree' | 'blob' | 'tag', bytes: Buffer): string => {
      written.push(type);
      return writeLoose(objects, type, bytes);
    };
    const made = replacePaths(repository, write, before, new Map([['a', undefined]]));
    assert.deepEqual([repository.readRaw(made).bytes, written], [odd, ['tree']]);
    assert.equal(
      replacePaths(repository, write, await tree.writeObject('tree', plain), new Map([['a', undefined]])),
      '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
    );
  });
});
