import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WorkTree } from '../../test/servers/work-tree.ts';
import fc from '../../test/support/properties.ts';
import { CofferError } from '../errors.ts';
import { commitLinks, parseCommit, tagTarget } from './commits/commit.ts';
import { writeLoose } from './objects/loose-object.ts';
import { ObjectStore } from './objects/object-store.ts';
import { applyDelta } from './packs/delta.ts';
import { openRepository } from './repository.ts';
import { changesBetween } from './trees/changes.ts';
import { differingEntries, findEntry, parseTree, rawEntries } from './trees/tree.ts';

/** The same objects in each run, so that the same samples are changed in the same places. */
process.env.GIT_AUTHOR_DATE = process.env.GIT_COMMITTER_DATE = '1700000000 +0000';

let root: string;
let tree: WorkTree;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-parsers-'));
  tree = await WorkTree.init(join(root, 'team'));
  for (let i = 0; i < 8; i++)
    await tree.commit({ [`dir/${i}`]: `${i}`, [`${i}.yaml`]: `a: ${i}\n`, same: 'x'.repeat(500) });
  await tree.git('tag', '-a', 'v1', '-m', 'one');
  await tree.git('-c', 'pack.threads=1', 'repack', '-adq');
});
after(() => rm(root, { recursive: true }));

/** Bytes of a sample, some of them changed, cut out or put in. */
const changed = (samples: readonly Buffer[]): fc.Arbitrary<Buffer> =>
  fc
    .record({
      sample: fc.nat(samples.length - 1),
      edits: fc.array(fc.record({ at: fc.nat(), drop: fc.nat(30), bytes: fc.uint8Array({ maxLength: 4 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
    })
    .map(({ sample, edits }) =>
      edits.reduce((bytes, { at, drop, bytes: put }) => {
        const place = at % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + drop)]);
      }, samples[sample] ?? Buffer.alloc(0)),
    );

async function samples(...revisions: string[]): Promise<Buffer[]> {
  const repository = await openRepository(tree.directory);
  const oids = await Promise.all(revisions.map((revision) => tree.git('rev-parse', revision)));
  return oids.map((oid) => repository.readRaw(oid).bytes);
}

/** Runs to its end, or says in coffer's words what is wrong. */
function settles(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof CofferError || error instanceof RangeError)) throw error;
  }
}

describe('whatever a repository holds', () => {
  test('commits and tags are read or refused', async () => {
    const objects = await samples('HEAD', 'HEAD~3', 'v1');
    fc.assert(
      fc.property(changed(objects), (bytes) => {
        settles(() => parseCommit('0'.repeat(40), bytes));
        settles(() => commitLinks('0'.repeat(40), { type: 'commit', bytes }));
        settles(() => tagTarget(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  test('trees are read or refused, and every way to read them says the same', async () => {
    const trees = await samples('HEAD^{tree}', 'HEAD~3^{tree}', 'HEAD:dir');
    fc.assert(
      fc.property(changed(trees), changed(trees), (a, b) => {
        settles(() => differingEntries(a, b));
        settles(() => {
          const { entries } = parseTree(a);
          const raw = [...rawEntries(a)].map(({ name, mode }) => `${mode} ${name}`);
          assert.deepEqual(
            entries.map(({ mode, name }) => `${mode} ${name}`).filter((entry) => !raw.includes(entry)),
            [],
          );
          for (const entry of entries) assert.deepEqual(findEntry(a, entry.name), entry);
        });
      }),
      { numRuns: 1000 },
    );
  });

  test('deltas make what they say, or are refused', () => {
    const base = Buffer.from('0123456789'.repeat(10));
    const deltas = [Buffer.from([100, 5, 0x91, 2, 3, 2, 65, 66]), Buffer.from([100, 100, 0xb1, 0, 0, 0, 100])];
    fc.assert(
      fc.property(changed(deltas), (delta) => settles(() => assert.ok(applyDelta(base, delta, 1000).length <= 1000))),
      { numRuns: 1000 },
    );
  });

  test('an index whose hash is right gives objects of their names, or none', async () => {
    const folder = join(tree.directory, '.git', 'objects', 'pack');
    const names = await readdir(folder);
    const nameOf = (extension: string) => names.find((name) => name.endsWith(extension)) ?? '';
    const index = await readFile(join(folder, nameOf('.idx')));
    const commit = await tree.git('rev-parse', 'HEAD');
    let count = 0;
    await fc.assert(
      fc.asyncProperty(changed([index.subarray(0, -20)]), async (body) => {
        const objects = join(root, `store-${count++}`);
        await mkdir(join(objects, 'pack'), { recursive: true });
        await copyFile(join(folder, nameOf('.pack')), join(objects, 'pack', 'pack-0.pack'));
        const sealed = Buffer.concat([body, createHash('sha1').update(body).digest()]);
        await writeFile(join(objects, 'pack', 'pack-0.idx'), sealed);
        const store = new ObjectStore([objects]);
        settles(() => assert.equal(store.read(commit).type, 'commit'));
        settles(() => store.startingWith(commit.slice(0, 4)));
        for (const pack of store.packs()) settles(() => pack.entries());
        store.close();
        await rm(objects, { recursive: true });
      }),
      { numRuns: 100 },
    );
  });

  test('folders that nest deeper than any checkout are refused, not followed', async () => {
    const objects = join(tree.directory, '.git', 'objects');
    let oid = writeLoose(objects, 'tree', Buffer.alloc(0));
    for (let depth = 0; depth < 150; depth++) {
      oid = writeLoose(objects, 'tree', Buffer.concat([Buffer.from('40000 a\0'), Buffer.from(oid, 'hex')]));
    }
    const refused: string[] = [];
    const repository = await openRepository(tree.directory);
    const options = { refused: (path: string) => refused.push(path) };
    const changes = await Array.fromAsync(changesBetween(repository, null, oid, options));
    assert.deepEqual([changes.length, refused.length], [0, 1]);
  });
});
