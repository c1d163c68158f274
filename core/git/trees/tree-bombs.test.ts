import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { refusedProblem } from '../grammar/check.ts';
import { writeLoose } from '../objects/loose-object.ts';
import { ObjectStore } from '../objects/object-store.ts';
import { Repository } from '../repository.ts';
import { changesBetween } from './changes.ts';
import { TreeWeights } from './tree-weights.ts';

let root: string;
let objects: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-tree-bombs-'));
  objects = join(root, 'objects');
});
after(() => rm(root, { recursive: true }));

const blob = Buffer.alloc(20, 7);
const digits = [...'0123456789'];

function folder(names: readonly string[], mode: string, oid: string | Buffer): string {
  return writeLoose(objects, 'tree', folderOf(names, mode, oid));
}

function folderOf(names: readonly string[], mode: string, oid: string | Buffer): Buffer {
  const id = typeof oid === 'string' ? Buffer.from(oid, 'hex') : oid;
  return Buffer.concat(names.flatMap((name) => [Buffer.from(`${mode} ${name}\0`), id]));
}

const files = (count: number): string[] => Array.from({ length: count }, (_, i) => `manifest-${1e6 + i}.yaml`);

/** So many folders in each other, each with ten times what is in the one below. */
function tenfold(depth: number, of = blob): string {
  let tree = folder(['f.yaml'], '100644', of);
  for (let i = 0; i < depth; i++) tree = folder(digits, '40000', tree);
  return tree;
}

function repository(): Repository {
  return new Repository({ own: root, common: root }, new ObjectStore([objects]));
}

async function walk(from: string | null, to: string | null, signal?: AbortSignal): Promise<number> {
  let count = 0;
  for await (const _ of changesBetween(repository(), from, to, { signal })) count++;
  return count;
}

const TOO_LARGE = { code: 'GIT_TREE_TOO_LARGE' };

const BOMBS: Record<string, () => string> = {
  'a hundred thousand paths, three times': () => folder(['a', 'b', 'c'], '40000', tenfold(5)),
  'ten thousand million paths of eleven small trees': () => tenfold(10),
  'folders that are named by a megabyte each': () => {
    const long = folder(['x'.repeat(2 ** 20)], '100644', blob);
    return folder(files(1000), '40000', long);
  },
  'empty folders': () => folder(files(500), '40000', folder(files(600), '40000', folder([], '', blob))),
};

describe('a tree that is small to store and large to walk', () => {
  for (const [name, make] of Object.entries(BOMBS)) {
    test(`is weighed and refused by its few objects: ${name}`, async () => {
      const tree = make();
      const reading = repository();
      const read = reading.readTreeBytes.bind(reading);
      let reads = 0;
      reading.readTreeBytes = (oid) => {
        reads++;
        return read(oid);
      };
      await assert.rejects(new TreeWeights().assertWalkable(reading, tree, ['']), TOO_LARGE);
      assert.ok(reads <= 15, `${reads}`);
    });
  }

  test('is walked so far and no further', async () => {
    await assert.rejects(walk(tenfold(10), tenfold(10, Buffer.alloc(20, 8))), TOO_LARGE);
  });

  test('is not taken in steps either, each of which is small enough', async () => {
    const bomb = tenfold(4);
    const weights = new TreeWeights();
    const steps = Array.from({ length: 13 }, (_, i) => folder(files(i), '40000', bomb));
    assert.equal(await walk(steps[11] ?? '', steps[12] ?? ''), 10_000);
    for (const step of steps.slice(0, 11)) await weights.assertWalkable(repository(), step, ['']);
    const last = steps[12] ?? '';
    await assert.rejects(weights.assertWalkable(repository(), last, ['']), TOO_LARGE);
    await assert.rejects(weights.assertWalkable(repository(), last, files(12)), TOO_LARGE);
    await weights.assertWalkable(repository(), last, [...files(10), 'nothing']);
  });

  test('leaves the event loop its turns, and ends with the signal', async () => {
    const tree = tenfold(5);
    const controller = new AbortController();
    const reason = new Error('over');
    setTimeout(() => controller.abort(reason), 20);
    await assert.rejects(walk(null, tree, controller.signal), reason);
    const isOver = AbortSignal.abort(reason);
    const wide = folder(files(10), '40000', folder(files(20_000), '40000', tree));
    await assert.rejects(walk(null, wide, isOver), reason);
  });
});

describe('a repository of a hundred thousand files', () => {
  for (const [name, make] of Object.entries({
    'in one folder': (of: Buffer) => folder(files(100_000), '100644', of),
    'in a thousand folders': (of: Buffer) => folder(files(1000), '40000', folder(files(100), '100644', of)),
  })) {
    test(`is walked, and compared where all of them move and change: ${name}`, async () => {
      const [one, two] = [make(blob), make(Buffer.alloc(20, 9))];
      await new TreeWeights().assertWalkable(repository(), one, ['']);
      assert.equal(await walk(folder(['before'], '40000', one), folder(['after'], '40000', two)), 200_000);
    });
  }

  test('is taken, and a folder of more than can be held beside others is not', () => {
    assert.equal(refusedProblem('tree', folderOf(files(150_000), '100644', blob)), undefined);
    assert.equal(refusedProblem('tree', folderOf(files(200_000), '100644', blob)), 'treeTooLong');
  });
});
