import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Stage, secretOf } from '../../test/support/stage.ts';

describe('what git says is projected', () => {
  test('a committed manifest becomes files, a changed value arrives, a removed manifest goes', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({
      'db.yaml': stage.manifest({ namespace: 'payments', name: 'db', data: { password: 'one' } }),
    });
    const run = await stage.run();
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), 'one');
    assert.equal(secretOf(run, 'payments/db')?.state, 'ready');

    await stage.tree.commit({
      'db.yaml': stage.manifest({ namespace: 'payments', name: 'db', data: { password: 'two' } }),
    });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), 'two');

    await stage.tree.commit({ 'db.yaml': null, README: 'nothing here' });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'password'), undefined);
    assert.deepEqual(run.reconciler.status().secrets, []);
  });
});
