import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { endorseRequest, renderRequest, requestFile } from '../../core/requests/request.ts';
import type { Outstanding, Verdict } from '../../core/trust/verdict.ts';
import { History, type Node } from './history.ts';
import { manifest, sealed } from './manifests.ts';
import { GRANTS, policyOf } from './policy.ts';

let history: History;
let fork: Node;
let accepted: Node;

const NO = 'TRUST_NOT_GRANTED';
const NOW = manifest({ readers: { api: ['password'], job: ['password'] } });
const EVIL = manifest({ readers: { api: ['password'], job: ['password'], evil: ['password'] } });

before(async () => {
  history = await History.create();
  fork = history.commit([], undefined, { 'db.yaml': manifest(), '.coffer/config.yaml': 'x\n' });
  accepted = history.commit([fork], 'alice', { 'db.yaml': NOW });
  await history.write();
});
after(() => history.remove());

function told({ refusals }: Verdict): string[] {
  return refusals.map(({ path, subject, error }) => `${path} ${subject} ${error.code}`).sort();
}

async function judged(head: Node, from: Node = accepted, outstanding: readonly Outstanding[] = []): Promise<string[]> {
  await history.write();
  return told(await history.judge(from, head, { outstanding }));
}

/** The file of an endorsement; what it names has to be written before. */
async function endorsing(node: Node, abandons: readonly Node[] = []): Promise<Record<string, string>> {
  await history.write();
  const request = endorseRequest({
    commit: node.oid,
    abandons: abandons.map(({ oid }) => oid),
    created: '2026-11-21T09:00:00Z',
  });
  return { [requestFile(request.id)]: renderRequest(request) };
}

describe('an endorsement', () => {
  test('counts as the signature of who may endorse and change what the commit changes', async () => {
    for (const by of ['val', undefined]) {
      const wrong = history.commit([accepted], by, { 'db.yaml': EVIL });
      const files = await endorsing(wrong);
      const refused = [by === undefined ? 'db.yaml signature TRUST_UNSIGNED' : `db.yaml readers ${NO}`];
      assert.deepEqual(await judged(history.commit([wrong], 'carol', files)), []);
      // Somebody who may endorse, and not change it.
      assert.deepEqual(await judged(history.commit([wrong], 'ed', files)), [`db.yaml readers ${NO}`]);
      // Somebody who may change it, and not endorse; the author; nobody.
      const [file] = Object.keys(files);
      for (const other of ['alice', 'val', 'bob']) {
        const head = history.commit([wrong], other, files);
        assert.deepEqual(await judged(head), [`${file} endorse ${NO}`, ...refused].sort(), other);
      }
      const unsigned = history.commit([wrong], undefined, files);
      assert.deepEqual(await judged(unsigned), [`${file} signature TRUST_UNSIGNED`, ...refused].sort());
    }
  });

  test('is of that commit: not of what came before or after it', async () => {
    const first = history.commit([accepted], 'val', { 'db.yaml': EVIL });
    const second = history.commit([first], 'val', { 'db.yaml': `${EVIL}---\n${manifest({ name: 'two' })}` });
    const head = history.commit([second], 'carol', await endorsing(second));
    assert.deepEqual(await judged(head), [`db.yaml readers ${NO}`]);
    const later = history.commit([head], 'val', { 'db.yaml': manifest({ readers: {} }) });
    assert.ok((await judged(later)).includes(`db.yaml readers ${NO}`));
  });

  test('counts when its file is changed too, and not when somebody else brings the same file', async () => {
    const wrong = history.commit([accepted], 'val', { 'db.yaml': EVIL });
    const files = await endorsing(wrong);
    const [file = ''] = Object.keys(files);
    const early = history.commit([wrong], 'val', { [file]: 'nonsense' });
    assert.deepEqual(await judged(history.commit([early], 'carol', files)), []);
    // Carol's endorsement, copied to another branch by who may not endorse.
    const copied = history.commit([wrong], 'val', files);
    assert.deepEqual(await judged(copied), [`${file} endorse ${NO}`, `db.yaml readers ${NO}`].sort());
    // A merge by carol of what val brought is no word of hers.
    const merge = history.commit([history.commit([wrong], 'alice', { 'x.txt': 'x' }), copied], 'carol', files);
    assert.deepEqual(await judged(merge), [`${file} endorse ${NO}`, `db.yaml readers ${NO}`].sort());
  });

  test('of a commit that it does not descend from, and of itself, is none', async () => {
    const wrong = history.commit([accepted], 'val', { 'db.yaml': EVIL });
    const elsewhere = history.commit([accepted], 'carol', await endorsing(wrong));
    assert.deepEqual(await judged(elsewhere), []);
    const merge = history.commit(
      [wrong, elsewhere],
      'bob',
      Object.fromEntries(elsewhere.files) as Record<string, string>,
    );
    merge.files = new Map([...elsewhere.files, ['db.yaml', EVIL]]);
    assert.deepEqual(await judged(merge), [`db.yaml readers ${NO}`]);
  });

  test('does not lift the rules that are not about who', async () => {
    const first = history.commit([accepted], 'val', {
      'db.yaml': manifest({
        readers: { api: ['password'], job: ['password'] },
        data: { password: sealed('k1', 'forged') },
      }),
    });
    const head = history.commit([first], 'carol', await endorsing(first));
    assert.deepEqual(await judged(head), ['db.yaml data-key TRUST_OLD_DATA_KEY']);
    const policy = policyOf({ namespaces: [{ path: '*', namespaces: ['payments'] }] });
    const moved = history.commit([accepted], 'carol', { 'x.yaml': manifest({ namespace: 'shop' }) });
    const endorsed = history.commit([moved], 'carol', await endorsing(moved));
    await history.write();
    assert.deepEqual(told(await history.judge(accepted, endorsed, { policy })), ['x.yaml namespace TRUST_NAMESPACE']);
  });
});

describe('a head that does not descend from the accepted commit', () => {
  const DIVERGED = { code: 'TRUST_DIVERGED' };

  test('is not taken, in any mode: rewound, replaced, of another repository, or with the accepted commit lost', async () => {
    const rewound = fork;
    const replaced = history.commit([fork], 'carol', { 'db.yaml': EVIL });
    const unrelated = history.commit([], 'carol', { 'db.yaml': NOW });
    await history.write();
    for (const head of [rewound, replaced, unrelated]) {
      for (const mode of ['off', 'head', 'strict'] as const) {
        await assert.rejects(history.judge(accepted, head, { mode }), DIVERGED);
      }
    }
    const lost: Node = { ...accepted, oid: 'f'.repeat(40) };
    await assert.rejects(history.judge(lost, accepted), DIVERGED);
  });

  test('is taken with an endorsement that gives up the accepted commit, in all modes that know signers', async () => {
    const replaced = history.commit([fork], undefined, { 'db.yaml': NOW, 'x.txt': 'x' });
    const head = history.commit([replaced], 'carol', await endorsing(replaced, [accepted]));
    await history.write();
    for (const mode of ['head', 'strict'] as const) {
      const verdict = await history.judge(accepted, head, { mode });
      assert.deepEqual(told(verdict), []);
      assert.deepEqual(verdict.endorsedBy, { commit: head.oid, signer: verdict.signer });
    }
    await assert.rejects(history.judge(accepted, head, { mode: 'off' }), DIVERGED);
    // And so is what follows it, also by an operator that still stands at the former commit.
    const next = history.commit([head], 'bob', { 'x.txt': 'y' });
    assert.deepEqual(await judged(next), []);
    assert.deepEqual(await judged(next, head), []);
    const wrong = history.commit([head], 'val', { 'db.yaml': EVIL });
    assert.deepEqual(await judged(wrong), [`db.yaml readers ${NO}`]);
  });

  test('is the endorser’s own change of all that differs: who may not change it cannot take it back', async () => {
    const old = history.commit([fork], 'ed', { 'x.txt': 'x' });
    const head = history.commit([old], 'ed', await endorsing(old, [accepted]));
    await history.write();
    const verdict = await history.judge(accepted, head);
    assert.deepEqual(told(verdict), [`db.yaml readers ${NO}`]);
    // It stays refused at every later look, also once the head was taken with that path held back.
    const next = history.commit([head], 'bob', { 'x.txt': 'y' });
    assert.deepEqual(await judged(next, head, JSON.parse(JSON.stringify(verdict.outstanding))), [
      `db.yaml readers ${NO}`,
    ]);
    const mended = history.commit([next], 'bob', { 'db.yaml': NOW });
    assert.deepEqual(await judged(mended, head, verdict.outstanding), []);
  });

  test('is not taken by an endorsement of old: after another rewind, of another commit, by the wrong signer', async () => {
    const second = history.commit([fork], 'alice', { 'x.txt': 'x' });
    const old = history.commit([second], 'carol', await endorsing(second, [accepted]));
    const settled = history.commit([old], 'alice', { 'x.txt': 'y' });
    await history.write();
    assert.deepEqual(await judged(settled), []);
    // Rewound behind what followed; to the former branch; to a branch that has the old endorsement cherry-picked.
    await assert.rejects(judged(old, settled), DIVERGED);
    await assert.rejects(judged(accepted, settled), DIVERGED);
    const files = await endorsing(second, [accepted]);
    await assert.rejects(judged(history.commit([history.commit([second], 'bob')], 'carol', files), settled), DIVERGED);
    const own = await endorsing(second, [settled]);
    for (const by of ['alice', 'bob', undefined]) {
      await assert.rejects(judged(history.commit([second], by, own), settled), DIVERGED);
    }
    // Without abandons it stands for the commit, and for no rewind.
    await assert.rejects(judged(history.commit([second], 'carol', await endorsing(second)), settled), DIVERGED);
  });

  test('is all the endorser’s own where the accepted commit is lost', async () => {
    const lost: Node = { ...accepted, oid: 'e'.repeat(40) };
    const head = async (by: string) => history.commit([fork], by, await endorsing(fork, [lost]));
    assert.deepEqual(await judged(await head('carol'), lost), []);
    assert.ok((await judged(await head('ed'), lost)).includes(`db.yaml readers ${NO}`));
  });

  test('with abandons stands for all that the endorsed commit holds, for operators that never were elsewhere', async () => {
    const one = history.commit([accepted], undefined, { 'db.yaml': EVIL });
    const two = history.commit([one], undefined, { 'x.txt': 'x' });
    const elsewhere = history.commit([accepted], 'carol');
    const head = history.commit([two], 'carol', await endorsing(two, [elsewhere]));
    assert.deepEqual(await judged(head), []);
    assert.deepEqual(await judged(head, elsewhere), []);
  });
});

describe('what is held back while the rest goes on', () => {
  test('stays refused until it is undone, overwritten or endorsed, and is never judged from further back', async () => {
    const wrong = history.commit([accepted], 'val', { 'db.yaml': EVIL, 'x.txt': 'x' });
    await history.write();
    const { outstanding } = await history.judge(accepted, wrong);
    const kept = JSON.parse(JSON.stringify(outstanding)) as Outstanding[];
    assert.deepEqual(await judged(wrong, wrong, kept), [`db.yaml readers ${NO}`]);
    assert.deepEqual(await judged(history.commit([wrong], 'bob', { 'x.txt': 'y' }), wrong, kept), [
      `db.yaml readers ${NO}`,
    ]);
    assert.deepEqual(await judged(history.commit([wrong], 'bob', { 'db.yaml': NOW }), wrong, kept), []);
    assert.deepEqual(await judged(history.commit([wrong], 'carol', await endorsing(wrong)), wrong, kept), []);
    assert.deepEqual(await judged(history.commit([wrong], 'alice', { 'db.yaml': null }), wrong, kept), []);
  });

  test('is taken with a branch that has it too, and that somebody endorsed who may change it', async () => {
    const wrong = history.commit([accepted], 'val', { 'db.yaml': EVIL });
    const instead = history.commit([accepted], undefined, { 'db.yaml': EVIL, 'x.txt': 'x' });
    await history.write();
    const { outstanding } = await history.judge(accepted, wrong);
    const head = (by: string, files: Record<string, string>) => history.commit([instead], by, files);
    const files = await endorsing(instead, [wrong]);
    assert.deepEqual(await judged(head('carol', files), wrong, outstanding), []);
    assert.deepEqual(await judged(head('ed', files), wrong, outstanding), [`db.yaml readers ${NO}`]);
  });

  test('is taken when the policy allows it by now, and only that', async () => {
    const wrong = history.commit([accepted], 'val', { 'db.yaml': EVIL });
    const unsigned = history.commit([wrong], undefined, { 'x.txt': 'x' });
    await history.write();
    const { outstanding } = await history.judge(accepted, unsigned);
    const policy = policyOf({ grants: [...(GRANTS ?? []), { signers: ['val'], may: ['readers'] }] });
    assert.deepEqual(told(await history.judge(unsigned, unsigned, { outstanding, policy })), [
      'x.txt signature TRUST_UNSIGNED',
    ]);
    assert.deepEqual(told(await history.judge(unsigned, unsigned, { outstanding, mode: 'off' })), []);
  });

  test('stays refused by way of a branch that left when it was there already', async () => {
    const wrong = history.commit([accepted], 'val', { 'db.yaml': EVIL });
    const held = history.commit([wrong], 'bob', { 'x.txt': 'x' });
    const side = history.commit([wrong], 'val', { 'db.yaml': manifest({ readers: { worse: ['password'] } }) });
    await history.write();
    const { outstanding } = await history.judge(accepted, held);
    for (const content of [EVIL, manifest({ readers: { worse: ['password'] } })]) {
      const merge = history.commit([held, side], 'bob', { 'db.yaml': content });
      assert.deepEqual(await judged(merge, held, outstanding), [`db.yaml readers ${NO}`]);
    }
    assert.deepEqual(await judged(history.commit([held, side], 'bob', { 'db.yaml': NOW }), held, outstanding), []);
  });

  test('does not let what was taken meanwhile be taken back', async () => {
    // other.yaml is held; db.yaml goes on, and is then rolled back to how it was when all was well.
    const held = history.commit([accepted], 'val', { 'other.yaml': manifest({ name: 'other' }), 'db.yaml': NOW });
    const good = history.commit([held], 'alice', { 'db.yaml': EVIL });
    await history.write();
    const { outstanding } = await history.judge(accepted, good);
    const back = history.commit([good], 'val', { 'db.yaml': NOW });
    assert.ok((await judged(back, good, outstanding)).includes(`db.yaml readers ${NO}`));
  });
});
