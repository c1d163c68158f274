import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AuditLog } from '../../core/audit/log.ts';
import { CofferError } from '../../core/errors.ts';
import { type Run, Stage } from '../../test/operator/stage.ts';
import { damaged } from '../../test/support/damaged.ts';
import type { ReadRequest } from './reading.ts';

/** What volumes and people in an emergency read. */

const db = { namespace: 'payments', name: 'db' };

const request = (more: Partial<ReadRequest> = {}): ReadRequest => ({
  ...db,
  entries: ({ entries }) => new Set(entries.keys()),
  record: { action: 'mount', actor: { kind: 'pod', user: 'system:serviceaccount:payments:api' } },
  ...more,
});

async function textsOf(run: Run, more?: Partial<ReadRequest>): Promise<Record<string, string>> {
  const reading = await run.reconciler.read(request(more));
  if (reading.unchanged === true) return {};
  const texts = Object.fromEntries(Array.from(reading.values, ([name, value]) => [name, value.toString()]));
  reading.wipe();
  return texts;
}

async function stageWith(t: Parameters<typeof Stage.open>[0], data: Record<string, string>) {
  const stage = await Stage.open(t);
  const run = await stage.run();
  const push = async (next: Record<string, string>, alter = (text: string) => text) => {
    const commit = await stage.tree.commit({ 'db.yaml': alter(stage.manifest({ ...db, data: next })) });
    await run.poll();
    return commit;
  };
  const commit = await push(data);
  return { stage, run, push, commit };
}

const reads = async (stage: Stage) => (await stage.audit()).filter(({ operation }) => operation !== undefined);

describe('who reads on demand', () => {
  test('gets the entries asked for, with who asked on disk before and the outcome after', async (t) => {
    const { stage, run, commit } = await stageWith(t, { user: 'ada', password: 'one' });
    const before = (await reads(stage)).length;
    assert.deepEqual(await textsOf(run, { entries: () => new Set(['password']) }), { password: 'one' });
    const [intent, outcome, ...more] = (await reads(stage)).slice(before);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [intent?.event, intent?.action, intent?.actor?.user, intent?.entries, intent?.commit],
      ['secret.intent', 'mount', 'system:serviceaccount:payments:api', ['password'], commit],
    );
    assert.deepEqual([outcome?.event, outcome?.outcome], ['secret.outcome', 'read']);
    assert.equal(outcome?.operation, intent?.operation);
  });

  test('of a version that is known opens nothing and leaves no record; another commit is another version', async (t) => {
    const { stage, run, push } = await stageWith(t, { password: 'one' });
    const { version } = await run.reconciler.read(request());
    const before = (await reads(stage)).length;
    const again = await run.reconciler.read(request({ knownVersion: version }));
    assert.deepEqual(again, { version, unchanged: true });
    assert.equal((await reads(stage)).length, before);
    await push({ password: 'two' });
    assert.deepEqual(await textsOf(run, { knownVersion: version }), { password: 'two' });
  });

  test('gets the last good values while the newest manifest cannot be opened', async (t) => {
    const { run, push } = await stageWith(t, { password: 'good' });
    await push({ password: 'bad' }, damaged);
    assert.deepEqual(await textsOf(run), { password: 'good' });
  });

  test('learns that a secret is not here, or that an entry is not', async (t) => {
    const { run } = await stageWith(t, { password: 'one' });
    await assert.rejects(run.reconciler.read(request({ name: 'mail' })), { code: 'SECRET_UNKNOWN' });
    const other = request({ entries: () => new Set(['other']) });
    await assert.rejects(run.reconciler.read(other), { code: 'MANIFEST_ENTRY_UNKNOWN' });
  });

  test('gets nothing while the log cannot be written, be it only of how it ended', async (t) => {
    const stage = await Stage.open(t);
    let writes = Number.POSITIVE_INFINITY;
    const audit = (log: AuditLog): AuditLog => ({
      append: async (records) => {
        if (writes-- <= 0) throw new CofferError('AUDIT_UNWRITABLE', 'full', { advice: 'Free space.', loop: 'retry' });
        await log.append(records);
      },
      close: () => log.close(),
    });
    const run = await stage.run({ audit });
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { password: 'one' } }) });
    await run.poll();
    for (const left of [0, 1]) {
      writes = left;
      await assert.rejects(run.reconciler.read(request()), { code: 'AUDIT_UNWRITABLE' });
    }
    writes = Number.POSITIVE_INFINITY;
    assert.deepEqual(await textsOf(run), { password: 'one' });
  });

  test('is told when the manifest that counts is another one, or none, in every namespace that it reaches', async (t) => {
    const { stage, run } = await stageWith(t, { password: 'one' });
    const told = new Set<string>();
    run.reconciler.onChanged((namespace, name) => told.add(`${namespace}/${name}`));
    const wide = { ...db, scope: 'cluster' as const, namespaces: ['billing'] };
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...wide, data: { password: 'two' } }) });
    await run.poll();
    assert.deepEqual([...told].sort(), ['billing/db', 'payments/db']);
    told.clear();
    await stage.tree.commit({ 'db.yaml': null, README: '' });
    await run.poll();
    assert.deepEqual([...told].sort(), ['billing/db', 'payments/db']);
  });
});
