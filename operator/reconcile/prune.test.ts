import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { Stage, secretOf } from '../../test/operator/stage.ts';
import { confirmCommit, confirmedCommits } from '../source/admission/confirmations.ts';
import { giveAcceptance } from '../trust/acceptances.ts';

/** Promise 4: prunes what it owns, nothing else, and not in bulk by mistake. */

const NAMES = ['a', 'b', 'c', 'd', 'e'];

async function stageOfFive(t: Parameters<typeof Stage.open>[0]): Promise<Stage> {
  const stage = await Stage.open(t);
  const manifests = NAMES.map((name) => [
    `secrets/${name}.yaml`,
    stage.manifest({ namespace: 'payments', name, data: { value: name } }),
  ]);
  await stage.tree.commit({ README: 'ours', ...Object.fromEntries(manifests) });
  return stage;
}

async function present(stage: Stage): Promise<string> {
  const values = await Promise.all(NAMES.map((name) => stage.read('payments/api', name, 'value')));
  return values.map((value) => value ?? '-').join('');
}

const without = (...names: string[]) => Object.fromEntries(names.map((name) => [`secrets/${name}.yaml`, null]));

describe('the brake', () => {
  test('a share up to the limit goes, a larger one is held until a person confirms its commit', async (t) => {
    const stage = await stageOfFive(t);
    let run = await stage.run();
    await run.poll();
    await stage.tree.commit(without('a', 'b'));
    await run.poll();
    assert.equal(await present(stage), '--cde');

    const held = await stage.tree.commit({
      ...without('c', 'd'),
      'secrets/e.yaml': stage.manifest({ namespace: 'payments', name: 'e', data: { value: 'E' } }),
    });
    await run.poll();
    assert.equal(await present(stage), '--cdE', 'the rest of the commit goes on');
    assert.equal(secretOf(run, 'payments/c')?.state, 'held');
    assert.deepEqual(run.reconciler.status().sources[0]?.held, [
      { commit: held, secrets: ['payments/c', 'payments/d'] },
    ]);

    // Neither a restart nor a reboot nor a further commit lets it go.
    await run.close();
    await stage.forgetProjections();
    run = await stage.run();
    await stage.tree.commit({ README: 'another' });
    await run.poll();
    assert.equal(await present(stage), '--cdE');

    await confirmCommit(stage.path('state'), held);
    await run.poll();
    assert.equal(await present(stage), '----E');
    assert.deepEqual(run.reconciler.status().sources[0]?.held, []);
  });

  test('what was held is nothing any more when the manifests come back', async (t) => {
    const stage = await stageOfFive(t);
    const run = await stage.run();
    await run.poll();
    await stage.tree.commit(without('a', 'b', 'c'));
    await run.poll();
    await stage.tree.git('revert', '--no-edit', 'HEAD');
    await run.poll();
    assert.equal(await present(stage), 'abcde');
    assert.deepEqual(run.reconciler.status().sources[0]?.held, []);
    assert.equal(secretOf(run, 'payments/a')?.state, 'ready');
  });

  test('an emptied repository and a missing folder are refused before anything is looked at', async (t) => {
    const stage = await stageOfFive(t);
    const run = await stage.run({ source: { path: 'secrets' } });
    await run.poll();
    await stage.tree.commit({ secrets: null });
    await run.poll();
    assert.equal(run.reconciler.status().sources[0]?.trouble?.code, 'SOURCE_PATH_MISSING');
    const emptied = await stage.tree.commit({ README: null });
    await run.poll();
    assert.equal(run.reconciler.status().sources[0]?.trouble?.code, 'SOURCE_EMPTIED');
    assert.equal(await present(stage), 'abcde');

    await confirmCommit(stage.path('state'), emptied);
    await run.poll();
    assert.equal(await present(stage), '-----');
  });

  test('deletionPolicy: Retain keeps, also after a reboot', async (t) => {
    const stage = await Stage.open(t);
    const kept = { namespace: 'payments', name: 'a', deletionPolicy: 'Retain' as const, data: { value: 'a' } };
    await stage.tree.commit({ README: '', 'a.yaml': stage.manifest(kept) });
    let run = await stage.run();
    await run.poll();
    await stage.tree.commit({ 'a.yaml': null });
    await run.poll();
    assert.equal(await present(stage), 'a----');
    assert.equal(secretOf(run, 'payments/a')?.state, 'retained');
    await run.close();
    await stage.forgetProjections();
    run = await stage.run();
    assert.equal(await present(stage), 'a----');
  });

  test('what was projected before the state directory was lost is taken up, and pruned with the same brake', async (t) => {
    const stage = await stageOfFive(t);
    let run = await stage.run();
    await run.poll();
    await run.close();
    await stage.forgetState();
    await stage.tree.commit(without('a'));
    run = await stage.run();
    assert.equal(await present(stage), 'abcde', 'before the source is known, nothing is gone');
    await run.poll();
    assert.equal(await present(stage), '-bcde');
  });
});

describe('a confirmation', () => {
  test('of a commit counts once: it is asked about again when the branch is rewound to it again', async (t) => {
    const stage = await stageOfFive(t);
    const first = (await stage.tree.git('rev-parse', 'HEAD')).trim();
    const run = await stage.run();
    await run.poll();
    const trouble = () => run.reconciler.status().sources[0]?.trouble?.code;
    const rewind = async () => {
      await stage.tree.commit(without('a'));
      await run.poll();
      await stage.tree.git('reset', '-q', '--hard', first);
      await run.poll();
      assert.equal(trouble(), 'SOURCE_REWOUND');
    };
    await rewind();
    await giveAcceptance(stage.path('state'), [run.source.id], first);
    await run.poll();
    assert.equal(trouble(), undefined);
    assert.equal(await present(stage), 'abcde');
    await rewind();
    assert.equal(await present(stage), '-bcde');
  });

  test('is done once it is settled: after a kill before the removal it need not be given again', async (t) => {
    const stage = await stageOfFive(t);
    let run = await stage.run();
    await run.poll();
    const held = await stage.tree.commit(without('a', 'b', 'c'));
    await run.poll();
    assert.equal(await present(stage), 'abcde');
    await confirmCommit(stage.path('state'), held);
    run.projector.prune = () => Promise.reject(new CofferError('TEST', 'not now', { advice: '', loop: 'retry' }));
    await run.poll();
    assert.equal(await present(stage), 'abcde');
    assert.deepEqual(await confirmedCommits(stage.path('state')), []);
    await run.close();
    run = await stage.run();
    await run.poll();
    assert.equal(await present(stage), '---de');
  });
});

describe('moves', () => {
  test('moving a file is no change: nothing is written and nothing is pruned', async (t) => {
    const stage = await stageOfFive(t);
    const run = await stage.run();
    await run.poll();
    const before = (await stage.audit()).length;
    await stage.tree.git('mv', 'secrets', 'moved');
    await stage.tree.commit({});
    await run.poll();
    assert.equal(await present(stage), 'abcde');
    const outcomes = (await stage.audit()).slice(before).filter(({ event }) => event === 'secret.outcome');
    assert.deepEqual(new Set(outcomes.map(({ outcome }) => outcome)), new Set(['unchanged']));
    assert.equal(secretOf(run, 'payments/a')?.path, 'moved/a.yaml');
  });
});
