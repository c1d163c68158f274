import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WorkTree } from '../../../test/servers/work-tree.ts';
import fc from '../../../test/support/properties.ts';
import { openRepository, type Repository } from '../repository.ts';
import { type Change, changesBetween } from './changes.ts';

/** Compared with what the real git says of the same commits. */

let root: string;
let tree: WorkTree;
let repository: Repository;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-changes-'));
  tree = await WorkTree.init(join(root, 'team'));
  repository = await openRepository(tree.directory);
});
after(() => rm(root, { recursive: true }));

async function ours(from: string | null, to: string, under?: string): Promise<string[]> {
  const treeOf = async (commit: string | null) => (commit === null ? null : (await repository.readCommit(commit)).tree);
  const told: string[] = [];
  const options = under === undefined ? {} : { under };
  for await (const change of changesBetween(repository, await treeOf(from), await treeOf(to), options)) {
    told.push(line(change));
  }
  return told.sort();
}

function line({ path, before, after }: Change): string {
  const none = { mode: '000000', oid: '0'.repeat(40) };
  const [a, b] = [before ?? none, after ?? none];
  const letter = before === undefined ? 'A' : after === undefined ? 'D' : 'M';
  return `:${a.mode} ${b.mode} ${a.oid} ${b.oid} ${letter}\t${path}`;
}

async function gits(from: string, to: string, under?: string): Promise<string[]> {
  const told = await tree.git(
    '-c',
    'core.quotePath=false',
    'diff-tree',
    '-r',
    '--no-renames',
    '--raw',
    '--no-abbrev',
    from,
    to,
    '--',
    ...(under === undefined ? [] : [under]),
  );
  // A change of type (file to link) is one line to both; git's letter for it is T.
  return told
    .split('\n')
    .filter(Boolean)
    .map((raw) => raw.replace(' T\t', ' M\t'))
    .sort();
}

const segment = fc.constantFrom('a', 'b', 'a.b', 'a-b', 'ab', '__proto__', 'ä');
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const content = fc.constantFrom('1', '2', '3');
/** A path is not also the folder of another. */
const files = fc.dictionary(path, content, { maxKeys: 12, noNullPrototype: true }).map((all) => {
  const names = Object.keys(all);
  return new Map(
    names.filter((name) => !names.some((other) => other.startsWith(`${name}/`))).map((name) => [name, all[name] ?? '']),
  );
});

describe('changes between two commits', () => {
  test('are those that git diff-tree tells, for any two trees and below any folder', async () => {
    let last = await tree.commit({ start: '0' });
    await fc.assert(
      fc.asyncProperty(files, segment, async (wanted, under) => {
        await tree.git('rm', '-rq', '--ignore-unmatch', '.');
        const next = await tree.commit(Object.fromEntries(wanted));
        assert.deepEqual(await ours(last, next), await gits(last, next));
        assert.deepEqual(await ours(last, next, under), await gits(last, next, under));
        last = next;
      }),
      { numRuns: 30 },
    );
  });

  test('cost nothing where folders are equal: they are not read', async () => {
    const files = Array.from({ length: 40 }, (_, i): [string, string] => [`many/${i}/file`, `${i}`]);
    const first = await tree.commit(Object.fromEntries(files));
    const second = await tree.commit({ 'many/7/file': 'other' });
    const fresh = await openRepository(tree.directory);
    const read: string[] = [];
    const reading = fresh.readTreeBytes.bind(fresh);
    fresh.readTreeBytes = (oid) => {
      read.push(oid);
      return reading(oid);
    };
    const [a, b] = [(await fresh.readCommit(first)).tree, (await fresh.readCommit(second)).tree];
    const changes = await Array.fromAsync(changesBetween(fresh, a, b));
    assert.deepEqual(
      changes.map((change) => change.path),
      ['many/7/file'],
    );
    // Root, `many` and `many/7`, on both sides.
    assert.equal(read.length, 6);
  });

  test('report links and submodules by their mode, and names that no checkout could have', async () => {
    const first = await tree.commit({ plain: '1' });
    const blob = await tree.git('hash-object', '-w', 'plain');
    const hash = (name: string) => Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')]);
    const entries = [
      Buffer.concat([Buffer.from('160000 aaa-module\0'), Buffer.from(first, 'hex')]),
      Buffer.concat([Buffer.from('120000 bbb-link\0'), Buffer.from(blob, 'hex')]),
      ...['..', '.GIT', 'a\\b', 'ok', 'ok', 'x\u0007'].map(hash),
      Buffer.concat([Buffer.from('100644 '), Buffer.from([0xff]), Buffer.from('\0'), Buffer.from(blob, 'hex')]),
    ];
    const oid = await tree.writeObject('tree', Buffer.concat(entries));
    const refused: string[] = [];
    const options = { refused: (name: string) => refused.push(name) };
    const changes = await Array.fromAsync(changesBetween(repository, null, oid, options));
    assert.deepEqual(
      changes.map(({ path, after }) => [path, after?.mode]),
      [
        ['aaa-module', '160000'],
        ['bbb-link', '120000'],
        ['ok', '100644'],
      ],
    );
    assert.deepEqual(refused, ['..', '.GIT', 'a\\\\b', 'ok', 'x\\u0007', '\ufffd']);
  });

  test('refuse a torn tree', async () => {
    const oid = await tree.writeObject('tree', Buffer.from('100644 name\0short'));
    await assert.rejects(Array.fromAsync(changesBetween(repository, null, oid)), { code: 'GIT_OBJECT_MALFORMED' });
  });
});
