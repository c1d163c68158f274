import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { Stage, secretOf } from '../../test/operator/stage.ts';

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

describe('two at a time', () => {
  const db = { namespace: 'payments', name: 'db' };

  test('workloads are told of what one did while those of the other were told', async (t) => {
    const stage = await Stage.open(t);
    const writes = new Gate();
    const run = await stage.run({
      audit: (log) => ({
        append: (records) => writes.pass().then(() => log.append(records)),
        close: () => log.close(),
      }),
    });
    const notices = new Gate();
    run.projector.notify = async () => {
      await notices.pass();
      return [];
    };
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { a: 'one' } }) });
    notices.shut();
    const first = run.poll();
    await notices.reached();
    await rm(`${stage.projection}/payments/api/db`, { recursive: true });
    writes.shut();
    const second = run.reconciler.heal('all');
    await writes.reached();
    notices.open();
    await first;
    writes.open();
    await second;
    assert.equal(notices.passed, 2);
  });

  test('none says that it is done while the other is at what it asked for', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { a: 'one' } }) });
    const run = await stage.run();
    await run.poll();
    await rm(`${stage.projection}/payments/api/db`, { recursive: true });
    const { heal } = run.projector;
    run.projector.heal = (again) => again('payments', 'db');
    const asked = [run.reconciler.heal('all'), run.reconciler.heal('all')];
    run.projector.heal = heal;
    const read = asked.map((healed) => healed.then(() => stage.read('payments/api', 'db', 'a')));
    assert.deepEqual(await Promise.all(read), ['one', 'one']);
  });
});

describe('work that ends early', () => {
  const db = { namespace: 'payments', name: 'db' };

  test('by a mistake of ours is thrown, shown in the status, and done at the next try', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { a: 'one' } }) });
    const run = await stage.run();
    const { apply } = run.projector;
    run.projector.apply = () => Promise.reject(new TypeError('ours'));
    await run.poll();
    await assert.rejects(run.reconciler.retry(), TypeError);
    assert.equal(secretOf(run, 'payments/db')?.trouble?.code, 'RECONCILE_UNEXPECTED');
    run.projector.apply = apply;
    await run.reconciler.retry();
    assert.equal(await stage.read('payments/api', 'db', 'a'), 'one');
    assert.equal(secretOf(run, 'payments/db')?.state, 'ready');
  });
});

/** Lets callers pass, or wait. */
class Gate {
  passed = 0;
  #open = Promise.withResolvers<void>();
  #reached = Promise.withResolvers<void>();

  constructor() {
    this.#open.resolve();
  }

  shut(): void {
    this.#open = Promise.withResolvers();
    this.#reached = Promise.withResolvers();
  }

  open(): void {
    this.#open.resolve();
  }

  reached(): Promise<void> {
    return this.#reached.promise;
  }

  async pass(): Promise<void> {
    this.#reached.resolve();
    await this.#open.promise;
    this.passed++;
  }
}
