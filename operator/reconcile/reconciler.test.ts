import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
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

describe('what fails', () => {
  const manifests = (stage: Stage, data: Record<string, string>) =>
    ['a', 'b', 'c'].map((name) => [`${name}.yaml`, stage.manifest({ namespace: 'payments', name, data })]);

  test('by a mistake of ours with one secret holds back no other of its batch', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit(Object.fromEntries(manifests(stage, { value: 'one' })));
    const run = await stage.run();
    const { apply } = run.projector;
    run.projector.apply = async (secret, ...rest) => {
      if (secret.name === 'b') throw new TypeError('ours');
      return apply.call(run.projector, secret, ...rest);
    };
    await run.poll();
    const read = await Promise.all(['a', 'b', 'c'].map((name) => stage.read('payments/api', name, 'value')));
    assert.deepEqual(read, ['one', undefined, 'one']);
    assert.deepEqual(
      run.reconciler.troubles().secrets.map(({ name, trouble }) => [name, trouble?.code]),
      [['b', 'RECONCILE_UNEXPECTED']],
    );
    const lines = (await stage.audit()).filter(({ name }) => name === 'b');
    assert.deepEqual(
      lines.map(({ event, code }) => [event, code]),
      [
        ['secret.intent', undefined],
        ['secret.outcome', 'RECONCILE_UNEXPECTED'],
      ],
    );
  });

  test('by the machine is tried again by itself, later each time', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit(Object.fromEntries(manifests(stage, { value: 'one' })));
    const run = await stage.run({ backOff: { first: 50, longest: 300_000 } });
    const { apply } = run.projector;
    const tries: number[] = [];
    const thrice = Promise.withResolvers<void>();
    run.projector.apply = async (secret, ...rest) => {
      if (secret.name !== 'b') return apply.call(run.projector, secret, ...rest);
      if (tries.push(performance.now()) === 4) thrice.resolve();
      throw new CofferError('TEST', 'no room', { advice: 'Wait.', loop: 'retry' });
    };
    const ending = new AbortController();
    const running = run.reconciler.run(ending.signal, () => {});
    t.after(() => {
      ending.abort();
      return running;
    });
    await run.poll();
    await thrice.promise;
    const [first = 0, , , fourth = 0] = tries;
    assert.ok(fourth - first >= 0.9 * (50 + 100 + 200));
  });

  test('by the machine is not tried again before its time, but a new commit does not wait for that', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit(Object.fromEntries(manifests(stage, { value: 'one' })));
    const run = await stage.run({ backOff: { first: 600_000, longest: 600_000 } });
    const { apply } = run.projector;
    let tries = 0;
    run.projector.apply = async (secret, ...rest) => {
      if (secret.name !== 'b') return apply.call(run.projector, secret, ...rest);
      tries++;
      throw new CofferError('TEST', 'no room', { advice: 'Wait.', loop: 'retry' });
    };
    await run.poll();
    await run.poll();
    assert.equal(tries, 1, 'a poll comes before its time');
    run.projector.apply = apply;
    await stage.tree.commit(Object.fromEntries(manifests(stage, { value: 'two' })));
    await run.poll();
    assert.equal(await stage.read('payments/api', 'b', 'value'), 'two');
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

test('told to end in the middle of a batch, it begins no further secret, records that, and takes it up at the next start', async (t) => {
  const stage = await Stage.open(t);
  const names = Array.from({ length: 40 }, (_, index) => `s${index}`);
  const file = (name: string) => stage.manifest({ namespace: 'payments', name, data: { a: name } });
  await stage.tree.commit(Object.fromEntries(names.map((name) => [`${name}.yaml`, file(name)])));
  const ending = new AbortController();
  const first = await stage.run({ signal: ending.signal });
  const apply = first.projector.apply.bind(first.projector);
  let applied = 0;
  first.projector.apply = (...args) => {
    applied++;
    ending.abort();
    return apply(...args);
  };
  await first.poll();
  assert.ok(applied < names.length, `${applied} of ${names.length}`);
  await first.close();
  const refused = (await stage.audit()).filter(({ code }) => code === 'RECONCILE_ENDING');
  assert.equal(refused.length, names.length - applied);
  await stage.run();
  for (const name of names) assert.equal(await stage.read('payments/api', name, 'a'), name);
});
