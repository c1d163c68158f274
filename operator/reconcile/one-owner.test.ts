import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Stage, secretOf } from '../../test/operator/stage.ts';
import type { Claim } from './state/claim.ts';
import { judge } from './state/owners.ts';

/** docs/format.md, "One owner". */

function claim(path: string, index = 0): Claim {
  const origin = { commit: 'c', author: { name: '', email: '' }, time: 0 };
  const home = 'payments/db';
  return { source: 's', path, index, line: 1, home, keys: [home], recipients: [], retain: false, blob: 'b', origin };
}

const owner = { source: 's', path: 'a.yaml', index: 0 };

const CASES: {
  what: string;
  remembered?: typeof owner;
  claims: Claim[];
  unreadable?: string;
  verdict: string;
}[] = [
  { what: 'the only claimant has it', claims: [claim('a.yaml')], verdict: 'owned a.yaml 0' },
  {
    what: 'of two and nothing remembered, none has it',
    claims: [claim('a.yaml'), claim('b.yaml')],
    verdict: 'contested',
  },
  { what: 'the first stays', remembered: owner, claims: [claim('b.yaml'), claim('a.yaml')], verdict: 'owned a.yaml 0' },
  {
    what: 'it passes when the former path is gone',
    remembered: owner,
    claims: [claim('b.yaml')],
    verdict: 'owned b.yaml 0',
  },
  {
    what: 'it passes to none when the former path is gone and two want it',
    remembered: owner,
    claims: [claim('b.yaml'), claim('c.yaml')],
    verdict: 'contested',
  },
  {
    what: 'a former path that cannot be read is not gone',
    remembered: owner,
    claims: [claim('b.yaml')],
    unreadable: 'a.yaml',
    verdict: 'unreadable',
  },
  {
    what: 'documents may change places in their file',
    remembered: owner,
    claims: [claim('a.yaml', 1)],
    verdict: 'owned a.yaml 1',
  },
  {
    what: 'of two documents in the file, the one in the former place stays',
    remembered: owner,
    claims: [claim('a.yaml', 1), claim('a.yaml', 0)],
    verdict: 'owned a.yaml 0',
  },
  { what: 'without claims it is gone', remembered: owner, claims: [], verdict: 'gone' },
];

describe('whose a name is', () => {
  for (const { what, remembered, claims, unreadable, verdict } of CASES) {
    test(what, () => {
      const judged = judge(remembered, claims, ({ path }) => path === unreadable);
      const told = judged.kind === 'owned' ? `owned ${judged.by.path} ${judged.by.index}` : judged.kind;
      assert.equal(told, verdict);
    });
  }
});

describe('two manifests of one name', () => {
  const db = { namespace: 'payments', name: 'db' };

  test('the second is refused and the first stays, after a restart too; it passes when the first is gone', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({ 'b.yaml': stage.manifest({ ...db, data: { value: 'first' } }) });
    let run = await stage.run();
    await run.poll();
    await stage.tree.commit({ 'a.yaml': stage.manifest({ ...db, data: { value: 'second' } }) });
    await run.poll();
    const expectFirst = async (): Promise<void> => {
      assert.equal(await stage.read('payments/api', 'db', 'value'), 'first');
      const problems = run.reconciler.status().sources[0]?.problems ?? [];
      assert.deepEqual(
        problems.map(({ code, data }) => [code, data.file]),
        [['MANIFEST_OWNED_ELSEWHERE', 'a.yaml']],
      );
    };
    await expectFirst();
    await run.close();
    run = await stage.run();
    await expectFirst();

    await stage.tree.commit({ 'b.yaml': null });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'value'), 'second');
    assert.deepEqual(run.reconciler.status().sources[0]?.problems, []);
  });

  test('with nothing remembered both are refused; when one leaves, the other is projected', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({
      'a.yaml': stage.manifest({ ...db, data: { value: 'a' } }),
      'b.yaml': stage.manifest({ ...db, data: { value: 'b' } }),
    });
    const run = await stage.run();
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'value'), undefined);
    assert.equal(secretOf(run, 'payments/db')?.trouble?.code, 'MANIFEST_OWNED_ELSEWHERE');
    await stage.tree.commit({ 'a.yaml': null });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'value'), 'b');
    assert.equal(secretOf(run, 'payments/db')?.state, 'ready');
  });

  test('a namespace that scope cluster reaches is a claim too: who has it keeps it there', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({
      'own.yaml': stage.manifest({ namespace: 'billing', name: 'ca', data: { value: 'own' } }),
    });
    const run = await stage.run();
    await run.poll();
    const wide = { namespace: 'payments', name: 'ca', scope: 'cluster' as const, namespaces: ['*'] };
    await stage.tree.commit({ 'wide.yaml': stage.manifest({ ...wide, data: { value: 'wide' } }) });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'ca', 'value'), 'wide');
    assert.equal(await stage.read('billing/api', 'ca', 'value'), 'own');

    await stage.tree.commit({ 'own.yaml': null });
    await run.poll();
    assert.equal(await stage.read('billing/api', 'ca', 'value'), 'wide');

    // The reach becomes shorter, and then the manifest goes.
    await stage.tree.commit({
      'wide.yaml': stage.manifest({ ...wide, namespaces: ['payments'], data: { value: 'wide' } }),
    });
    await run.poll();
    assert.equal(await stage.read('billing/api', 'ca', 'value'), undefined);
    await stage.tree.commit({ 'wide.yaml': null, README: '' });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'ca', 'value'), undefined);
  });

  test('a repository that moved to another address keeps what it owns; what it lost on the way is pruned', async (t) => {
    const stage = await Stage.open(t);
    const manifest = (name: string) => stage.manifest({ namespace: 'payments', name, data: { value: name } });
    await stage.tree.commit({ 'a.yaml': manifest('a'), 'b.yaml': manifest('b'), 'c.yaml': manifest('c') });
    let run = await stage.run();
    await run.poll();
    await run.close();
    await stage.tree.commit({ 'c.yaml': null });
    await stage.tree.git('clone', '-q', stage.tree.directory, stage.path('moved'));
    run = await stage.run({ source: { url: stage.path('moved') } });
    assert.equal(
      await stage.read('payments/api', 'c', 'value'),
      'c',
      'before the new source is known, nothing is gone',
    );
    await run.poll();
    assert.equal(await stage.read('payments/api', 'a', 'value'), 'a');
    assert.equal(secretOf(run, 'payments/a')?.source, run.source.id);
    assert.equal(await stage.read('payments/api', 'c', 'value'), undefined);
    assert.deepEqual(run.reconciler.troubles().secrets, []);
  });
});
