import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { AuditLog } from '../../core/audit/log.ts';
import { CofferError } from '../../core/errors.ts';
import { storeSecretKey } from '../../core/keys/key-directory.ts';
import { Stage, secretOf } from '../../test/operator/stage.ts';
import { damaged } from '../../test/support/damaged.ts';
import { testCluster } from '../../test/support/secrets.ts';

/** Promise 2: no audit, no secret. */

const db = { namespace: 'payments', name: 'db' };

/** The real log, which can be made to refuse. */
class Refusing implements AuditLog {
  readonly #log: AuditLog;
  isFull = false;
  /** So many writes more are taken. */
  isFullAfter = Number.POSITIVE_INFINITY;

  constructor(log: AuditLog) {
    this.#log = log;
  }

  async append(records: Parameters<AuditLog['append']>[0]): Promise<void> {
    if (this.isFull || this.isFullAfter-- <= 0)
      throw new CofferError('AUDIT_UNWRITABLE', 'the disk is full', { advice: 'Free space.', loop: 'retry' });
    await this.#log.append(records);
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}

describe('the record', () => {
  test('says before what will happen and afterwards how it ended, of every manifest of a commit', async (t) => {
    const stage = await Stage.open(t);
    const run = await stage.run();
    const commit = await stage.tree.commit({
      'db.yaml': stage.manifest({ ...db, data: { password: 'one', user: 'two' } }),
      'bad.yaml': damaged(stage.manifest({ ...db, name: 'bad', data: { value: 'x' } })),
    });
    await run.poll();
    const lines = await stage.audit();
    assert.deepEqual(
      lines.map(({ event, name, outcome }) => [event, name, outcome].filter(Boolean).join(' ')),
      [
        'commit.accepted',
        'secret.intent bad',
        'secret.intent db',
        'secret.outcome bad refused',
        'secret.outcome db written',
      ],
    );
    const intent = lines.find(({ event, name }) => event === 'secret.intent' && name === 'db');
    const outcome = lines.find(({ event, name }) => event === 'secret.outcome' && name === 'db');
    const { cluster, workloads, entries, keyIds, author, path } = intent ?? {};
    assert.deepEqual(
      { cluster, workloads, entries, keyIds, author, path, commit: intent?.commit },
      {
        cluster: 'production',
        workloads: ['payments/api'],
        entries: ['password', 'user'],
        keyIds: [stage.cluster.recipient.keys[0]?.kid],
        author: { name: 'Ada', email: 'ada@example.org' },
        path: 'db.yaml',
        commit,
      },
    );
    assert.equal(outcome?.operation, intent?.operation);
  });

  test('has each manifest that is refused before it is opened, with the reason and the commit, once while it is so', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { a: '1' } }) });
    let run = await stage.run();
    await run.poll();
    const staging = testCluster('staging');
    const bad = {
      'broken.yaml': stage.manifest({ ...db, name: 'broken', data: { a: '1' } }).replace('"readers"', '"raeders"'),
      'second.yaml': stage.manifest({ ...db, data: { a: '2' } }),
      'sealed.yaml': stage
        .manifest({ ...db, name: 'sealed', data: { a: '1' }, to: [staging] })
        .replace(/"recipients": \[/, '$& "production",'),
    };
    const commit = await stage.tree.commit(bad);
    await run.poll();
    await run.poll();
    await run.close();
    run = await stage.run();
    await stage.tree.commit({ ...bad, 'broken.yaml': null });
    await run.poll();
    const again = await stage.tree.commit(bad);
    await run.poll();
    const lines = (await stage.audit()).filter(({ code }) => code !== undefined);
    const author = { name: 'Ada', email: 'ada@example.org' };
    assert.deepEqual(
      lines.map((line) => [line.path, line.code, line.commit, line.accepted, line.name, line.author]),
      [
        ['broken.yaml', 'DOCUMENT_FIELD', undefined, commit, undefined, undefined],
        ['second.yaml', 'MANIFEST_OWNED_ELSEWHERE', undefined, commit, 'db', undefined],
        ['sealed.yaml', 'STANZA_MISSING', commit, commit, 'sealed', author],
        ['sealed.yaml', 'STANZA_MISSING', commit, commit, 'sealed', author],
        ['broken.yaml', 'DOCUMENT_FIELD', undefined, again, undefined, undefined],
      ],
    );
  });

  test('names for each manifest the commit that brought it, when several arrive at once', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({ README: '' });
    const run = await stage.run();
    await run.poll();
    const first = await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { a: '1' } }) });
    const second = await stage.tree.commit({ 'mail.yaml': stage.manifest({ ...db, name: 'mail', data: { a: '1' } }) });
    await stage.tree.git('commit', '-q', '--allow-empty', '-m', 'nothing');
    await run.poll();
    const intents = (await stage.audit()).filter(({ event }) => event === 'secret.intent');
    assert.deepEqual(
      new Map(intents.map(({ name, commit }) => [name, commit])),
      new Map([
        ['db', first],
        ['mail', second],
      ]),
    );
  });

  test('that cannot be written lets nothing be opened, projected or removed; later all of it is done', async (t) => {
    const stage = await Stage.open(t);
    let log: Refusing | undefined;
    const run = await stage.run({ audit: (audit) => (log = new Refusing(audit)) });
    assert.ok(log !== undefined);
    await stage.tree.commit({
      'db.yaml': stage.manifest({ ...db, data: { a: 'one' } }),
      'old.yaml': stage.manifest({ ...db, name: 'old', data: { a: 'old' } }),
    });
    await run.poll();
    log.isFull = true;
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { a: 'two' } }), 'old.yaml': null });
    await run.poll();
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'a'), 'one');
    assert.equal(await stage.read('payments/api', 'old', 'a'), 'old');
    const told = run.reconciler.troubles();
    assert.ok([...told.problems, told.sources[0]?.trouble].some((trouble) => trouble?.code === 'AUDIT_UNWRITABLE'));
    log.isFull = false;
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'a'), 'two');
    assert.equal(await stage.read('payments/api', 'old', 'a'), undefined);
    assert.equal(secretOf(run, 'payments/db')?.state, 'ready');
  });

  test('says how everything ended, also where that could only be written later', async (t) => {
    const stage = await Stage.open(t);
    let log: Refusing | undefined;
    const run = await stage.run({ audit: (audit) => (log = new Refusing(audit)) });
    assert.ok(log !== undefined);
    log.isFullAfter = 2;
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { a: 'one' } }) });
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'a'), 'one');
    log.isFullAfter = Number.POSITIVE_INFINITY;
    await run.poll();
    const lines = await stage.audit();
    const [intent] = lines.filter(({ event }) => event === 'secret.intent');
    const outcomes = lines.filter(({ operation, event }) => operation === intent?.operation && event !== intent?.event);
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ['written'],
    );
  });
});

describe('keys', () => {
  test('that come later are found without a commit', async (t) => {
    const stage = await Stage.open(t);
    await rm(stage.path('keys'), { recursive: true });
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { a: 'one' } }) });
    const run = await stage.run();
    await run.poll();
    assert.equal(secretOf(run, 'payments/db')?.state, 'failed');
    await storeSecretKey(stage.path('keys'), stage.cluster.seed);
    await run.poll();
    assert.equal(await stage.read('payments/api', 'db', 'a'), 'one');
  });
});

describe('healing', () => {
  test('puts back what others changed, from the accepted state', async (t) => {
    const stage = await Stage.open(t);
    await stage.tree.commit({ 'db.yaml': stage.manifest({ ...db, data: { a: 'one' } }) });
    const run = await stage.run();
    await run.poll();
    await rm(`${stage.projection}/payments/api/db`, { recursive: true });
    await run.reconciler.heal('all');
    assert.equal(await stage.read('payments/api', 'db', 'a'), 'one');
  });

  test('comes back to everything that it found when the log could not be written', async (t) => {
    const stage = await Stage.open(t);
    let log: Refusing | undefined;
    const run = await stage.run({ audit: (audit) => (log = new Refusing(audit)) });
    assert.ok(log !== undefined);
    const names = ['db', 'mail', 'queue'];
    const manifests = names.map((name) => [`${name}.yaml`, stage.manifest({ ...db, name, data: { a: 'one' } })]);
    await stage.tree.commit(Object.fromEntries(manifests));
    await run.poll();
    log.isFull = true;
    await stage.tree.commit({ README: 'its record waits' });
    await run.poll();
    for (const name of names) await rm(`${stage.projection}/payments/api/${name}`, { recursive: true });
    await assert.rejects(run.reconciler.heal('all'), { code: 'AUDIT_UNWRITABLE' });
    log.isFull = false;
    await run.poll();
    await run.reconciler.heal('all');
    const found = await Promise.all(names.map((name) => stage.read('payments/api', name, 'a')));
    assert.deepEqual(found, ['one', 'one', 'one']);
  });
});
