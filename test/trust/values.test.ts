import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SealedBefore } from '../../core/trust/sealed/sealed-before.ts';
import type { Verdict } from '../../core/trust/verdict.ts';
import { History, type Node } from './history.ts';
import { dataKeyId, manifest, recipientFile, sealed, stanza } from './manifests.ts';
import { policyOf } from './policy.ts';

let history: History;
/** The value was v0 under k0, which was sealed to a key that is revoked by now, then v1 under k1. */
let accepted: Node;

const with_ = (data: Record<string, string>, keys: Record<string, Record<string, string>> = {}) => ({
  'db.yaml': manifest({ data, keys }),
});
const K0 = { [dataKeyId('k0')]: { production: stanza('dead') } };
const OLD = 'db.yaml data-key TRUST_OLD_DATA_KEY';
const EXPOSED = 'db.yaml data-key TRUST_RETURN_EXPOSED';

before(async () => {
  history = await History.create();
  const first = history.commit([], undefined, {
    ...with_({ password: sealed('k0', 'v0'), user: sealed('u0', 'u0') }, K0),
    '.coffer/recipients/production.yaml': recipientFile('production', { dead: 'retired', aa: 'active' }),
  });
  accepted = history.chain(
    first,
    [undefined, with_({ password: sealed('k1', 'v1'), user: sealed('u1', 'u1') })],
    [
      undefined,
      { '.coffer/recipients/production.yaml': recipientFile('production', { dead: 'revoked', aa: 'active' }) },
    ],
  );
  await history.write();
});
after(() => history.remove());

function told({ refusals }: Verdict): string[] {
  return refusals.map(({ path, subject, error }) => `${path} ${subject} ${error.code}`).sort();
}

async function judged(head: Node, sealedBefore = SealedBefore.inMemory()): Promise<Verdict> {
  await history.write();
  return history.judge(accepted, head, { policy: policyOf({}), sealedBefore });
}

const U1 = { user: sealed('u1', 'u1') };

describe('a data key', () => {
  for (const mode of ['off', 'head', 'strict'] as const) {
    test(`is of one run, in mode ${mode}`, async () => {
      const table: [promise: string, data: Record<string, string>, refused: string[]][] = [
        ['a new value under a new one', { password: sealed('k2', 'v2'), ...U1 }, []],
        ['two new values under a new one', { password: sealed('k2', 'v2'), user: sealed('k2', 'u2') }, []],
        ['a forged value under the one of before', { password: sealed('k1', 'forged'), ...U1 }, [OLD]],
        ['a forged value under one of long ago', { password: sealed('k0', 'forged'), ...U1 }, [OLD]],
        ['a forged value under that of another entry', { password: sealed('u1', 'forged'), ...U1 }, [OLD]],
        ['a new entry under an old one', { password: sealed('k1', 'v1'), ...U1, new: sealed('k1', 'new') }, [OLD]],
        ['an entry that was given another name', { passphrase: sealed('k1', 'v1'), ...U1 }, []],
        ['an entry that went', { password: sealed('k1', 'v1') }, []],
        ['a return to what is exposed', { password: sealed('k0', 'v0'), ...U1 }, [EXPOSED]],
        ['a return to what is not', { password: sealed('k1', 'v1'), user: sealed('u0', 'u0') }, []],
      ];
      for (const [promise, data, refused] of table) {
        const head = history.commit([accepted], 'bob', with_(data));
        await history.write();
        const verdict = await history.judge(accepted, head, { mode, policy: policyOf({}) });
        assert.deepEqual(told(verdict), refused, promise);
        const back =
          promise === 'a return to what is not' ? [{ path: 'db.yaml', entry: 'user', commit: head.oid }] : [];
        assert.deepEqual(verdict.returns, back, promise);
      }
    });
  }

  test('is exposed by any stanza that anybody made for a key that is revoked', async () => {
    const leak = { [dataKeyId('k2')]: { production: stanza('dead') } };
    const leaked = history.commit([accepted], 'bob', with_({ password: sealed('k2', 'v2'), ...U1 }, leak));
    const on = history.commit([leaked], 'bob', with_({ password: sealed('k3', 'v3'), ...U1 }));
    const back = history.commit([on], 'bob', with_({ password: sealed('k2', 'v2'), ...U1 }));
    assert.deepEqual(told(await judged(back)), [EXPOSED]);
  });

  test('does not hinder moves: to another file in one commit, or in two', async () => {
    const file = manifest({ data: { password: sealed('k1', 'v1'), ...U1 } });
    const moved = history.commit([accepted], 'bob', { 'db.yaml': null, 'moved/db.yaml': file });
    const gone = history.commit([accepted], 'bob', { 'db.yaml': null });
    const back = history.commit([gone], 'bob', { 'moved/db.yaml': file });
    for (const head of [moved, back]) {
      const verdict = await judged(head);
      assert.deepEqual([told(verdict), verdict.returns], [[], []]);
    }
  });

  test('does not get a forged value in by way of another entry', async () => {
    const forged = sealed('k1', 'forged');
    const there = history.commit([accepted], 'bob', with_({ password: sealed('k1', 'v1'), user: forged }));
    const here = history.commit([there], 'bob', with_({ password: forged, ...U1 }));
    assert.deepEqual(told(await judged(here)), [OLD]);
    // Nor after the first was taken with that file held back.
    const sealedBefore = SealedBefore.inMemory();
    await sealedBefore.learn((await history.judge(undefined, accepted)).learnt);
    const { outstanding, learnt } = await judged(there, sealedBefore);
    await sealedBefore.learn(learnt);
    assert.deepEqual(told(await history.judge(there, here, { policy: policyOf({}), outstanding, sealedBefore })), [
      OLD,
    ]);
  });

  test('of a value that went and came back before anybody accepted it is no return', async () => {
    const away = history.commit([accepted], 'bob', with_({ password: sealed('k2', 'v2'), ...U1 }));
    const back = history.commit([away], 'bob', with_({ password: sealed('k1', 'v1'), ...U1 }));
    const verdict = await judged(back);
    assert.deepEqual([told(verdict), verdict.returns], [[], []]);
  });

  test('may come by two branches with the same value, and not with another', async () => {
    const change = with_({ password: sealed('k2', 'v2'), ...U1 });
    const one = history.commit([accepted], 'bob', change);
    const picked = history.commit([history.commit([accepted], 'bob', { 'x.txt': 'x' })], 'bob', change);
    const merge = history.commit([picked, one], 'bob');
    const verdict = await judged(merge);
    assert.deepEqual([told(verdict), verdict.returns], [[], []]);
    const forged = history.commit(
      [history.commit([accepted], 'bob', { 'y.txt': 'y' })],
      'bob',
      with_({ password: sealed('k1', 'v1'), user: sealed('k2', 'f') }),
    );
    assert.deepEqual(
      told(
        await judged(
          history.commit([one, forged], 'bob', with_({ password: sealed('k2', 'v2'), user: sealed('k2', 'f') })),
        ),
      ),
      [OLD],
    );
  });

  test('is not spoilt by somebody who may not bring it', async () => {
    const spoilt = history.commit([accepted], undefined, {
      'x.yaml': manifest({ name: 'x', data: { a: sealed('k2', 'junk') } }),
    });
    const head = history.commit([spoilt], 'bob', with_({ password: sealed('k2', 'v2'), ...U1 }));
    assert.deepEqual(told(await judged(head)), ['x.yaml signature TRUST_UNSIGNED']);
  });
});

describe('a value that was refused and is taken by now', () => {
  test('is known from then on: nothing else comes under its data key', async () => {
    const change = with_({ password: sealed('k2', 'v2'), ...U1 });
    const unsigned = history.commit([accepted], undefined, change);
    await history.write();
    const sealedBefore = SealedBefore.inMemory();
    await sealedBefore.learn((await history.judge(undefined, accepted)).learnt);
    const refused = await judged(unsigned, sealedBefore);
    await sealedBefore.learn(refused.learnt);
    assert.equal(sealedBefore.hasDataKey(dataKeyId('k2')), false);
    const { outstanding } = refused;
    const taken = await history.judge(unsigned, unsigned, { mode: 'off', sealedBefore, outstanding });
    assert.deepEqual(told(taken), []);
    await sealedBefore.learn(taken.learnt);
    const forged = history.commit([unsigned], 'bob', with_({ password: sealed('k2', 'forged'), ...U1 }));
    await history.write();
    assert.deepEqual(told(await history.judge(unsigned, forged, { policy: policyOf({}), sealedBefore })), [OLD]);
  });
});

describe('what an operator knows of values', () => {
  async function knowing(node: Node): Promise<SealedBefore> {
    const sealedBefore = SealedBefore.inMemory();
    await sealedBefore.learn((await history.judge(undefined, node)).learnt);
    return sealedBefore;
  }

  test('is all of the accepted commit, also where another operator accepted that', async () => {
    const two = history.commit([accepted], 'bob', with_({ password: sealed('k2', 'v2'), ...U1 }));
    const forged = history.commit([two], 'bob', with_({ password: sealed('k2', 'forged'), ...U1 }));
    const plain = history.commit([two], 'bob', { 'x.txt': 'x' });
    const later = history.commit([plain], 'bob', with_({ password: sealed('k2', 'forged'), ...U1 }));
    await history.write();
    const policy = policyOf({});
    for (const mode of ['off', 'head', 'strict'] as const) {
      const sealedBefore = await knowing(accepted);
      assert.deepEqual(told(await history.judge(two, forged, { mode, policy, sealedBefore })), [OLD]);
      // Also after a commit of which there was nothing to learn.
      await sealedBefore.learn((await history.judge(two, plain, { mode, policy, sealedBefore })).learnt);
      assert.deepEqual(told(await history.judge(plain, later, { mode, policy, sealedBefore })), [OLD]);
    }
  });

  test('is nothing of a head that was not accepted after all', async () => {
    const leak = { [dataKeyId('k2')]: { production: stanza('dead') } };
    const head = history.commit([accepted], 'bob', with_({ password: sealed('k2', 'v2'), ...U1 }, leak));
    const other = history.commit([accepted], 'bob', with_({ password: sealed('k2', 'other'), ...U1 }));
    await history.write();
    const policy = policyOf({});
    const sealedBefore = await knowing(accepted);
    const first = await history.judge(accepted, head, { policy, sealedBefore });
    await sealedBefore.learn(first.learnt);
    // The ref did not move: a kill, a full disk, or the branch was replaced meanwhile.
    const again = await history.judge(accepted, head, { policy, sealedBefore });
    assert.deepEqual([told(again), again.returns], [[], []]);
    const { learnt, ...verdict } = await history.judge(accepted, other, { policy, sealedBefore });
    assert.deepEqual([told({ ...verdict, learnt }), verdict.returns], [[], []]);
    await sealedBefore.learn(learnt);
    assert.equal(sealedBefore.hasText(dataKeyId('k2'), sealed('k2', 'v2')), false);
    assert.equal(sealedBefore.hasText(dataKeyId('k2'), sealed('k2', 'other')), true);
  });
});

describe('what was sealed before', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coffer-sealed-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('is learnt from the first commit with all of its history, and kept on disk', async () => {
    const sealedBefore = await SealedBefore.open(folder);
    await history.write();
    const first = await history.judge(undefined, accepted, { mode: 'off', sealedBefore });
    assert.deepEqual(first.refusals, []);
    await sealedBefore.learn(first.learnt);
    await sealedBefore.learn(first.learnt);
    await sealedBefore.close();
    const again = await SealedBefore.open(folder);
    assert.equal(await again.upTo(accepted.oid), again);
    assert.equal(again.hasText(dataKeyId('k0'), sealed('k0', 'v0')), true);
    assert.equal(again.hasText(dataKeyId('k0'), sealed('k0', 'v1')), false);
    assert.equal(again.wasSealedTo(dataKeyId('k0'), 'dead'.padEnd(32, '0')), true);
    const forged = history.commit([accepted], 'bob', with_({ password: sealed('k0', 'forged'), ...U1 }));
    assert.deepEqual(told(await judged(forged, again)), [OLD]);
    const next = history.commit([accepted], 'bob', with_({ password: sealed('k2', 'v2'), ...U1 }));
    const { learnt } = await judged(next, again);
    await again.learn(learnt);
    assert.equal(again.hasText(dataKeyId('k2'), sealed('k2', 'v2')), true);
    await again.close();
  });
});
