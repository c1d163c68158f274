import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeLoose } from '../../core/git/objects/loose-object.ts';
import type { Verdict } from '../../core/trust/verdict.ts';
import { History, type Node } from './history.ts';
import { manifest, sealed } from './manifests.ts';
import { SIGNED_BY } from './policy.ts';

let history: History;
/** Before and at the accepted commit: between them alice gave db.yaml another reader, and other.yaml a value. */
let fork: Node;
let accepted: Node;

const OLD = manifest();
const READERS = { api: ['password'], job: ['password'] };
const NOW = manifest({ readers: READERS });
const OTHER = (value: string) => manifest({ name: 'other', data: { token: sealed(value, value) } });
const NO = 'TRUST_NOT_GRANTED';

before(async () => {
  history = await History.create();
  fork = history.commit([], undefined, { 'db.yaml': OLD, 'other.yaml': OTHER('o1'), '.coffer/config.yaml': 'x\n' });
  accepted = history.commit([fork], 'alice', { 'db.yaml': NOW, 'other.yaml': OTHER('o2') });
  await history.write();
});
after(() => history.remove());

function told({ refusals }: Verdict): string[] {
  return refusals.map(({ path, subject, error }) => `${path} ${subject} ${error.code}`).sort();
}

async function judged(head: Node, from: Node = accepted): Promise<string[]> {
  await history.write();
  return told(await history.judge(from, head));
}

describe('a merge', () => {
  test('of what others may change needs no right of the merger, only a signature', async () => {
    const side = history.commit([fork], 'val', {
      'new.txt': 'x',
      'db.yaml': manifest({ data: { password: sealed('k2', 'v2') } }),
    });
    const clean = { 'new.txt': 'x', 'db.yaml': manifest({ readers: READERS, data: { password: sealed('k2', 'v2') } }) };
    assert.deepEqual(await judged(history.commit([accepted, side], 'bob', clean)), []);
    assert.deepEqual(await judged(history.commit([accepted, side], undefined, clean)), [
      'db.yaml signature TRUST_UNSIGNED',
      'new.txt signature TRUST_UNSIGNED',
    ]);
    // The same from the other side: the branch takes in the main one, and is what operators follow from then on.
    const back = history.commit([side, accepted], 'bob', { ...clean, 'other.yaml': OTHER('o2') });
    assert.deepEqual(await judged(back), []);
  });

  test('that touches nothing of ours needs no signature', async () => {
    const side = history.commit([accepted], undefined, {});
    assert.deepEqual(await judged(history.commit([accepted, side], undefined)), []);
  });

  test('that nobody signed of a branch that takes in the main one is no matter once main has the same', async () => {
    const side = history.commit([fork], 'val', { 'x.txt': 'x' });
    const update = history.commit([side, accepted], undefined, { 'db.yaml': NOW, 'other.yaml': OTHER('o2') });
    assert.deepEqual(await judged(history.commit([accepted, update], 'bob', { 'x.txt': 'x' })), [
      'x.txt signature TRUST_UNSIGNED',
    ]);
  });

  test('brings what is wrong on a side branch, whoever merges it', async () => {
    const evil = manifest({ readers: { ...READERS, evil: ['password'] } });
    const side = history.commit([accepted], 'val', { 'db.yaml': evil });
    const other = history.commit([accepted], 'val', { 'other.yaml': OTHER('o3') });
    const merge = history.commit([other, side], 'carol', { 'db.yaml': evil });
    await history.write();
    const verdict = await history.judge(accepted, merge);
    assert.deepEqual(told(verdict), [`db.yaml readers ${NO}`]);
    assert.equal(verdict.refusals[0]?.commit, side.oid);
  });

  test('that changes something itself is the merger’s: an evil merge', async () => {
    const side = history.commit([accepted], 'val', { 'other.yaml': OTHER('o3') });
    const main = history.commit([accepted], 'val', { 'x.txt': 'x' });
    const evil = { 'other.yaml': OTHER('o3'), 'db.yaml': manifest({ readers: { ...READERS, evil: ['password'] } }) };
    assert.deepEqual(await judged(history.commit([main, side], 'bob', evil)), [`db.yaml readers ${NO}`]);
    assert.deepEqual(await judged(history.commit([main, side], 'alice', evil)), []);
    assert.deepEqual(await judged(history.commit([main, side], undefined, evil)), [
      'db.yaml signature TRUST_UNSIGNED',
      'other.yaml signature TRUST_UNSIGNED',
      // Against the other parent.
      'x.txt signature TRUST_UNSIGNED',
    ]);
  });

  test('that takes the older side is the merger’s roll-back: -s ours, from either side', async () => {
    const stale = history.commit([fork], 'val', { 'x.txt': 'x' });
    for (const parents of [
      [stale, accepted],
      [accepted, stale],
    ]) {
      const rollback = { 'db.yaml': OLD, 'other.yaml': OTHER('o1'), 'x.txt': 'x' };
      assert.deepEqual(await judged(history.commit(parents, 'bob', rollback)), [
        `db.yaml readers ${NO}`,
        // The old value is one that it held, so that no rule about data keys says no.
        `other.yaml values ${NO}`,
      ]);
      assert.deepEqual(await judged(history.commit(parents, 'alice', rollback)), []);
    }
  });

  test('that settles a conflict needs the right to what it settles', async () => {
    const one = history.commit([accepted], 'val', { 'other.yaml': OTHER('o3') });
    const two = history.commit([accepted], 'val', { 'other.yaml': OTHER('o4') });
    for (const value of ['o3', 'o4', 'o2', 'o5']) {
      const settled = { 'other.yaml': OTHER(value) };
      assert.deepEqual(await judged(history.commit([one, two], 'bob', settled)), [`other.yaml values ${NO}`], value);
      assert.deepEqual(await judged(history.commit([one, two], 'val', settled)), [], value);
    }
  });

  test('of two sides that changed one aspect alike is clean, and either side’s right counts', async () => {
    const evil = { 'db.yaml': manifest({ readers: { evil: ['password'] } }) };
    const wrong = history.commit([accepted], 'val', evil);
    const right = history.commit([accepted], 'alice', evil);
    assert.deepEqual(await judged(history.commit([wrong, right], 'bob')), []);
    assert.deepEqual(await judged(history.commit([wrong, history.commit([accepted], 'val', evil)], 'bob')), [
      `db.yaml readers ${NO}`,
    ]);
  });

  test('does not launder a roll-back with a branch that never had what is rolled back', async () => {
    const rolled = history.commit([accepted], 'val', { 'db.yaml': OLD });
    const stale = history.commit([fork], 'val', { 'x.txt': 'x' });
    for (const parents of [
      [rolled, stale],
      [stale, rolled],
    ]) {
      const merge = history.commit(parents, 'bob', { 'db.yaml': OLD, 'other.yaml': OTHER('o2'), 'x.txt': 'x' });
      assert.deepEqual(await judged(merge), [`db.yaml readers ${NO}`]);
    }
    // Nor what somebody set since, with a branch of the accepted commit.
    const set = history.commit([accepted], 'alice', { 'db.yaml': manifest({ readers: { only: ['password'] } }) });
    const undone = history.commit([set], 'val', { 'db.yaml': NOW });
    const plain = history.commit([accepted], 'val', { 'x.txt': 'x' });
    assert.deepEqual(await judged(history.commit([undone, plain], 'bob', { 'x.txt': 'x' })), [`db.yaml readers ${NO}`]);
  });

  test('does not launder what was taken back with a branch that still has it as somebody set it who might', async () => {
    const reader = (name: string) => ({ 'db.yaml': manifest({ readers: { [name]: ['password'] } }) });
    const set = history.commit([accepted], 'alice', reader('first'));
    const stale = history.commit([set], 'val', { 'x.txt': 'x' });
    const moved = history.commit([set], 'alice', reader('second'));
    const back = history.commit([moved], 'val', reader('first'));
    for (const parents of [
      [back, stale],
      [stale, back],
    ]) {
      const merge = history.commit(parents, 'bob', { ...reader('first'), 'x.txt': 'x' });
      assert.deepEqual(await judged(merge), [`db.yaml readers ${NO}`]);
      assert.deepEqual(await judged(history.commit([merge, stale], 'bob')), [`db.yaml readers ${NO}`]);
    }
    // Neither where the file is the same on both sides, so that nothing of the merge touches it.
    const same = history.commit([set], 'val', { 'y.txt': 'y' });
    assert.deepEqual(await judged(history.commit([back, same], 'bob', { 'y.txt': 'y' })), [`db.yaml readers ${NO}`]);
  });

  test('leaves what is wrong on a side that is not taken to who merges', async () => {
    const rows = (api: string) => ({ 'db.yaml': manifest({ readers: { api: [api], job: ['password'] } }) });
    const gone = history.chain(accepted, ['alice', rows('x')], ['val', rows('password')]);
    const other = history.commit([accepted], 'alice', rows('more'));
    const merge = (by: string) => history.commit([gone, other], by, { 'db.yaml': other.files.get('db.yaml') ?? null });
    assert.deepEqual(await judged(merge('bob')), [`db.yaml readers ${NO}`]);
    assert.deepEqual(await judged(merge('alice')), []);
  });

  test('in a criss-cross counts for the merger where its bases disagree', async () => {
    const one = history.commit([accepted], 'val', { 'other.yaml': OTHER('o3') });
    const two = history.commit([accepted], 'val', { 'other.yaml': OTHER('o4') });
    const left = history.commit([one, two], 'val', { 'other.yaml': OTHER('o3') });
    const right = history.commit([two, one], 'val', { 'other.yaml': OTHER('o4') });
    for (const value of ['o3', 'o4']) {
      const settled = { 'other.yaml': OTHER(value) };
      assert.deepEqual(await judged(history.commit([left, right], 'bob', settled)), [`other.yaml values ${NO}`]);
      assert.deepEqual(await judged(history.commit([left, right], 'val', settled)), []);
    }
  });

  test('of many parents is clean where one of them changed something, and the merger’s where two did', async () => {
    const sides = ['a', 'b', 'c'].map((name) =>
      history.commit([accepted], 'alice', { [`${name}.yaml`]: manifest({ name }) }),
    );
    const all = Object.fromEntries(['a', 'b', 'c'].map((name) => [`${name}.yaml`, manifest({ name })]));
    assert.deepEqual(await judged(history.commit(sides, 'bob', all)), []);
    assert.deepEqual(await judged(history.commit(sides, 'bob', { ...all, 'db.yaml': OLD })), [`db.yaml readers ${NO}`]);
    const twice = [
      ...sides,
      history.commit([accepted], 'alice', { 'a.yaml': manifest({ name: 'a', readers: READERS }) }),
    ];
    assert.deepEqual(await judged(history.commit(twice, 'bob', all)), [`a.yaml readers ${NO}`]);
    const many = Array.from({ length: 12 }, (_, index) =>
      history.commit([accepted], 'alice', { [`${index}.txt`]: 'x', 'db.yaml': manifest({ readers: {} }) }),
    );
    const rest = Object.fromEntries(many.map((_, index) => [`${index}.txt`, 'x']));
    assert.deepEqual(await judged(history.commit(many, 'bob', rest)), []);
    const taken = history.commit([...many, accepted], 'bob', rest);
    assert.deepEqual(await judged(taken), [`db.yaml readers ${NO}`]);
  });

  test('that names a parent again is what it is with that parent once, as for git', async () => {
    const side = history.commit([accepted], 'alice', { 'x.txt': 'x' });
    const again = (...parents: Node[]) => history.commit(parents, undefined, { 'db.yaml': OLD, 'x.txt': 'x' });
    const refused = await judged(again(accepted, side));
    assert.deepEqual(await judged(again(accepted, side, side, accepted, ...Array(200).fill(side))), refused);
    assert.deepEqual(await judged(again(...Array(200).fill(side))), await judged(again(side)));
    assert.deepEqual(await judged(history.commit(Array(200).fill(side), 'bob')), []);
  });

  for (const [what, parents, files] of [
    ['more parents than anybody merges', 65, 1],
    ['more files of more parents than can be held at once', 60, 8500],
  ] as const) {
    test(`of ${what} is not judged`, async () => {
      const objects = join(history.directory, '.git', 'objects');
      const names = Array.from({ length: files }, (_, index) => `${1e6 + index}.txt`);
      const treeOf = (text: string) => {
        const oid = Buffer.from(writeLoose(objects, 'blob', Buffer.from(text)), 'hex');
        return writeLoose(
          objects,
          'tree',
          Buffer.concat(names.flatMap((name) => [Buffer.from(`100644 ${name}\0`), oid])),
        );
      };
      const trees = { before: treeOf('before'), after: treeOf('after') };
      const commit = (tree: string, of: readonly string[], message: string): string => {
        const lines = [
          `tree ${tree}`,
          ...of.map((oid) => `parent ${oid}`),
          'author a <a> 1 +0000',
          'committer a <a> 1 +0000',
        ];
        return writeLoose(objects, 'commit', Buffer.from(`${lines.join('\n')}\n\n${message}\n`));
      };
      const base = commit(trees.before, [], 'base');
      const sides = Array.from({ length: parents }, (_, index) => commit(trees.before, [base], `${index}`));
      const judgedAs = (of: readonly string[], by: string) =>
        judged({ ...accepted, oid: commit(trees.after, of, `${SIGNED_BY}${by}`) }, { ...accepted, oid: base });
      await assert.rejects(judgedAs(sides, 'alice'), { code: 'TRUST_MERGE_TOO_WIDE' });
      assert.deepEqual(await judgedAs(sides.slice(0, 2), 'alice'), []);
      if (files === 1) assert.deepEqual(await judgedAs(sides.slice(1), 'alice'), []);
    });
  }

  test('of a file that one side changed and the other changed back is no roll-back', async () => {
    const files = (readers: string, value: string) => ({
      'db.yaml': manifest({ readers: { [readers]: ['password'] } }),
      'other.yaml': OTHER(value),
      'both.yaml': manifest({
        name: 'both',
        readers: { [readers]: ['password'] },
        data: { password: sealed(value, value) },
      }),
    });
    const first = history.commit([], 'alice', files('a', 'o1'));
    const now = history.commit([first], 'alice', files('b', 'o2'));
    const side = history.commit([first], 'alice', { 'x.txt': 'x' });
    const back = history.commit([side, now], 'alice', files('a', 'o1'));
    const readers = history.commit([side], 'alice', files('c', 'o1'));
    assert.deepEqual(await judged(history.commit([back, readers], 'bob', files('c', 'o1')), now), []);
  });

  test('with an unrelated history is judged by each commit of that', async () => {
    const root = history.commit([], 'alice', { 'theirs.yaml': manifest({ name: 'theirs' }) });
    const wrong = history.commit([], 'bob', { 'theirs.yaml': manifest({ name: 'theirs' }) });
    const files = { 'theirs.yaml': manifest({ name: 'theirs' }) };
    assert.deepEqual(await judged(history.commit([accepted, root], 'bob', files)), []);
    assert.deepEqual(await judged(history.commit([accepted, wrong], 'carol', files)), [
      `theirs.yaml readers ${NO}`,
      `theirs.yaml recipients ${NO}`,
      `theirs.yaml values ${NO}`,
    ]);
  });

  test('of a branch that resurrects what main removed is the merger’s', async () => {
    const removed = history.commit([accepted], 'alice', { 'other.yaml': null });
    const side = history.commit([accepted], 'val', { 'x.txt': 'x' });
    const back = { 'other.yaml': OTHER('o2'), 'x.txt': 'x' };
    assert.ok((await judged(history.commit([removed, side], 'bob', back))).includes(`other.yaml values ${NO}`));
    assert.deepEqual(await judged(history.commit([removed, side], 'bob', { 'x.txt': 'x' })), []);
  });

  test('in a side branch is judged where it stands, also before the accepted commit', async () => {
    const one = history.commit([fork], 'val', { 'x.txt': 'x' });
    const two = history.commit([fork], 'val', { 'y.txt': 'y' });
    const inner = history.commit([one, two], 'bob', {
      'y.txt': 'y',
      'db.yaml': manifest({ readers: { evil: ['password'] } }),
    });
    const merge = history.commit([accepted, inner], 'bob', {
      'x.txt': 'x',
      'y.txt': 'y',
      'db.yaml': manifest({ readers: { evil: ['password'], job: ['password'] } }),
    });
    await history.write();
    const verdict = await history.judge(accepted, merge);
    assert.deepEqual(
      verdict.refusals.map(({ path, commit }) => [path, commit]),
      [['db.yaml', inner.oid]],
    );
  });
});
