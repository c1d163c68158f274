import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WorkTree } from '../../test/servers/work-tree.ts';
import { ObjectStore } from './objects/object-store.ts';
import { applyDelta } from './packs/delta.ts';
import { writePack } from './packs/pack-writer.ts';
import { openRepository } from './repository.ts';
import { isLegalName, pathParts } from './trees/path.ts';

let root: string;
let tree: WorkTree;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-repository-'));
  tree = await WorkTree.init(join(root, 'team'));
  const text = Array.from({ length: 3000 }, (_, i) => `line ${i}\n`);
  for (let i = 0; i < 12; i++) {
    text[i * 200] = `changed in ${i}\n`;
    await tree.commit(
      { 'long.txt': text.join(''), [`dir/${i}.txt`]: `${i}`, 'random.bin': randomBytes(200_000) },
      `Commit ${i}\n\nBody.`,
    );
  }
  await tree.git('tag', '-a', 'v1', '-m', 'one', 'HEAD~2');
  await tree.git('checkout', '-q', '-b', 'topic/x', 'HEAD~1');
  await tree.commit({ topic: 'x' });
  await tree.git('checkout', '-q', 'main');
  await tree.git('merge', '-q', '--no-ff', '-m', 'merge', 'topic/x');
});
after(() => rm(root, { recursive: true }));

const STORED: Record<string, string[]> = {
  loose: ['count-objects'],
  'packed with deltas, refs too': ['gc', '-q', '--aggressive'],
  'packed with deltas by name of the base': ['-c', 'repack.useDeltaBaseOffset=false', 'repack', '-q', '-a', '-d', '-f'],
};

for (const [how, command] of Object.entries(STORED)) {
  describe(`a repository whose objects are ${how}`, () => {
    test('gives every object byte for byte as git does', async () => {
      await tree.git(...command);
      const repository = await openRepository(tree.directory);
      const all = (
        await tree.git('cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objecttype) %(objectsize)')
      ).split('\n');
      for (const row of all) {
        const [oid = '', type, size] = row.split(' ');
        // Its name is checked against its content when it is read.
        const object = repository.objects.read(oid);
        assert.deepEqual([object.type, object.bytes.length], [type, Number(size)]);
        assert.ok(repository.objects.has(oid));
      }
    });

    test('resolves what git rev-parse resolves', async () => {
      const repository = await openRepository(tree.directory);
      const head = await tree.git('rev-parse', 'HEAD');
      const revisions = [
        'HEAD',
        '@',
        'main',
        'heads/main',
        'refs/heads/main',
        'topic/x',
        'v1',
        'tags/v1',
        'main~3',
        'HEAD^',
        'HEAD^2',
        'HEAD~2^1~1',
        'HEAD^0',
        head,
        head.slice(0, 9),
      ];
      for (const revision of revisions) {
        assert.equal(await repository.resolve(revision), await tree.git('rev-parse', `${revision}^{commit}`), revision);
      }
      for (const revision of [
        'nothing',
        'HEAD^3',
        'HEAD~99',
        '../../HEAD',
        '',
        'HEAD:long.txt',
        'main..topic',
        '0000000',
      ]) {
        await assert.rejects(repository.resolve(revision), { code: 'GIT_REVISION_UNKNOWN' }, revision);
      }
    });
  });
}

describe('a commit', () => {
  test('is read with its people, time and message', async () => {
    const repository = await openRepository(tree.directory);
    const oid = await repository.resolve('HEAD~1');
    const { author, message, parents } = await repository.readCommit(oid);
    assert.deepEqual(author, {
      name: 'Ada',
      email: 'ada@example.org',
      time: Number(await tree.git('show', '-s', '--format=%at', oid)),
    });
    assert.match(message, /^Commit 11\n\nBody\.\n$/);
    assert.deepEqual(parents, [await tree.git('rev-parse', `${oid}^`)]);
  });
});

describe('damage', () => {
  test('is an error and never other bytes; an object that is whole elsewhere is found there', async () => {
    const copy = join(root, 'damaged.git');
    await tree.git('clone', '-q', '--bare', '--no-local', tree.directory, copy);
    const folder = join(copy, 'objects', 'pack');
    const name = (await readdir(folder)).find((file) => file.endsWith('.pack')) ?? '';
    const bytes = await readFile(join(folder, name));
    for (let at = 12; at < bytes.length; at += 101) bytes[at] = (bytes[at] ?? 0) ^ 0x20;
    await chmod(join(folder, name), 0o600);
    await writeFile(join(folder, name), bytes);
    const repository = await openRepository(copy);
    const oid = await tree.git('rev-parse', 'HEAD:random.bin');
    await assert.rejects(repository.readBlob(oid), { code: 'GIT_OBJECT_CORRUPT' });
    await assert.rejects(tree.git('verify-pack', join(folder, name)));
    const both = new ObjectStore([join(copy, 'objects'), join(tree.directory, '.git', 'objects')]);
    assert.equal(both.read(oid).bytes.length, 200_000);
    await assert.rejects(repository.readBlob('0'.repeat(40)), { code: 'GIT_OBJECT_MISSING' });
    await assert.rejects(openRepository(root), { code: 'GIT_NOT_A_REPOSITORY' });
  });

  test('a delta that reaches beyond its base or its result is refused', () => {
    const base = Buffer.from('0123456789');
    const cases: [string, number[]][] = [
      ['another base', [9, 1, 0x90, 1]],
      ['copy beyond the base', [10, 4, 0x91, 8, 4]],
      ['data beyond the result', [10, 1, 2, 65, 66]],
      ['ends early', [10, 4, 1, 65]],
      ['reserved', [10, 1, 0]],
      ['torn', [10, 4, 0x91]],
      ['too large', [10, 0xff, 0xff, 0xff, 0x7f]],
    ];
    for (const [what, delta] of cases)
      assert.throws(() => applyDelta(base, Buffer.from(delta), 1000), RangeError, what);
    assert.equal(String(applyDelta(base, Buffer.from([10, 5, 0x91, 2, 3, 2, 65, 66]), 1000)), '234AB');
  });
});

describe('a pack that we write', () => {
  test('is one to git, and holds the same objects', async () => {
    const repository = await openRepository(tree.directory);
    const bare = join(root, 'written.git');
    await tree.git('init', '-q', '--bare', bare);
    const oids = (await tree.git('rev-list', '--objects', '--no-object-names', 'HEAD')).split('\n');
    const pack = await writePack(join(bare, 'objects', 'pack'), oids, (oid) => repository.objects.read(oid));
    await tree.git('index-pack', '--strict', `${pack}.pack`);
    await tree.git('verify-pack', `${pack}.idx`);
    await tree.git('--git-dir', bare, 'fsck', '--strict', oids[0] ?? '');
    const written = await openRepository(bare);
    for (const oid of oids) assert.ok(written.objects.read(oid).bytes.equals(repository.objects.read(oid).bytes));
  });
});

describe('names', () => {
  test('that a checkout could not have are not legal', () => {
    const illegal = [
      '',
      '.',
      '..',
      '.git',
      '.GIT',
      '.git ',
      '.git.',
      'git~1',
      '.g\u200cit',
      'a/b',
      'a\\b',
      'a\0',
      'a\n',
      '\ufffd',
    ];
    assert.deepEqual(illegal.filter(isLegalName), []);
    assert.ok(['.gitignore', '.coffer', '__proto__', '...', 'git', 'ä b'].every(isLegalName));
    assert.deepEqual(pathParts('./a//b/'), ['a', 'b']);
    assert.deepEqual(pathParts('.'), []);
    assert.equal(pathParts('a/../b'), undefined);
  });
});
