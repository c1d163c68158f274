import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Run, Stage, secretOf } from '../../test/operator/stage.ts';
import type { ReachableNamespaces } from './namespaces.ts';

/** Namespaces as a cluster has them; `billing` and `payments` and `team-*` are configured. */
class Cluster implements ReachableNamespaces {
  readonly #phases = new Map<string, 'active' | 'terminating'>();
  #changed: () => void = () => {};

  constructor(...names: string[]) {
    for (const name of names) this.#phases.set(name, 'active');
  }

  names(): Iterable<string> {
    return this.#phases.keys();
  }

  isTerminating(name: string): boolean {
    return this.#phases.get(name) === 'terminating';
  }

  isConfigured(name: string): boolean {
    return ['payments', 'billing'].includes(name) || name.startsWith('team-');
  }

  onChange(listener: () => void): void {
    this.#changed = listener;
  }

  set(name: string, phase: 'active' | 'terminating' | 'gone'): void {
    if (phase === 'gone') this.#phases.delete(name);
    else this.#phases.set(name, phase);
    this.#changed();
  }
}

const troubleOf = (run: Run, key: string) => secretOf(run, key)?.trouble?.code;

/** The reconciler's own loop; resolves at each of its looks. */
function following(t: { after(work: () => Promise<void>): void }, run: Run): () => Promise<void> {
  const ending = new AbortController();
  let look = Promise.withResolvers<void>();
  const running = run.reconciler.run(ending.signal, (error) => {
    if (error === undefined) look.resolve();
    else look.reject(error);
    look = Promise.withResolvers<void>();
  });
  t.after(async () => {
    ending.abort();
    await running;
  });
  return () => look.promise;
}

describe('a namespace', () => {
  test('that is missing is a failure of its secrets with the reason, others go on; made, it gets them by itself', async (t) => {
    const stage = await Stage.open(t);
    const namespaces = new Cluster('billing');
    const run = await stage.run({ namespaces });
    const look = following(t, run);
    const commit = await stage.tree.commit({
      'db.yaml': stage.manifest({ namespace: 'payments', name: 'db', data: { a: 'one' } }),
      'mail.yaml': stage.manifest({ namespace: 'billing', name: 'mail', data: { a: 'one' } }),
      'elsewhere.yaml': stage.manifest({ namespace: 'elsewhere', name: 'db', data: { a: 'one' } }),
    });
    await run.poll();
    assert.equal(troubleOf(run, 'payments/db'), 'KUBERNETES_NAMESPACE_MISSING');
    assert.equal(secretOf(run, 'payments/db')?.since, commit);
    assert.equal(troubleOf(run, 'elsewhere/db'), 'NAMESPACE_NOT_CONFIGURED');
    assert.equal(await stage.read('billing/api', 'mail', 'a'), 'one');

    const looked = look();
    namespaces.set('payments', 'active');
    await looked;
    assert.equal(await stage.read('payments/api', 'db', 'a'), 'one');
    assert.equal(secretOf(run, 'payments/db')?.state, 'ready');
  });

  test('that is being deleted gets nothing new, and gets it when it is made anew', async (t) => {
    const stage = await Stage.open(t);
    const namespaces = new Cluster('payments', 'billing');
    const run = await stage.run({ namespaces });
    const look = following(t, run);
    await stage.tree.commit({ 'db.yaml': stage.manifest({ namespace: 'payments', name: 'db', data: { a: 'one' } }) });
    await run.poll();
    let looked = look();
    namespaces.set('payments', 'terminating');
    await looked;
    assert.equal(troubleOf(run, 'payments/db'), 'KUBERNETES_TERMINATING');
    await stage.tree.commit({ 'db.yaml': stage.manifest({ namespace: 'payments', name: 'db', data: { a: 'two' } }) });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'a'), 'one');
    looked = look();
    namespaces.set('payments', 'gone');
    await looked;
    looked = look();
    namespaces.set('payments', 'active');
    await looked;
    assert.equal(await stage.read('payments/api', 'db', 'a'), 'two');
  });

  test('that appears is reached by the globs of scope cluster at once, and given up when it vanishes', async (t) => {
    const stage = await Stage.open(t);
    const namespaces = new Cluster('payments');
    const run = await stage.run({ namespaces });
    const look = following(t, run);
    const pull = { namespace: 'payments', name: 'pull', scope: 'cluster' as const, namespaces: ['bill*'] };
    await stage.tree.commit({ 'pull.yaml': stage.manifest({ ...pull, data: { a: 'one' } }) });
    await run.poll();
    assert.equal(await stage.read('billing/api', 'pull', 'a'), undefined);
    let looked = look();
    namespaces.set('billing', 'active');
    await looked;
    assert.equal(await stage.read('billing/api', 'pull', 'a'), 'one');
    looked = look();
    namespaces.set('billing', 'gone');
    await looked;
    assert.equal(await stage.read('billing/api', 'pull', 'a'), undefined);
    assert.equal(await stage.read('payments/api', 'pull', 'a'), 'one');
  });
});
