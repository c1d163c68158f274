import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { AnyRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import type { Repository } from '../../../core/git/repository.ts';
import { KeysStage, look } from '../../../test/rotate/keys-stage.ts';
import { recipientFiles, sealingKey, testCluster, testGroup } from '../../../test/support/secrets.ts';
import type { Pusher } from '../../push/pusher.ts';
import { askedOf } from '../../requests/asked.ts';
import type { Source } from '../../source/source.ts';
import { rewrapped } from './rewrap.ts';
import type { IndexedFile } from './stanza-index.ts';

/** A wish for a new key, of a cluster with some manifests: some for it, one of them of another name than it was sealed for. */
async function withManifests(t: TestContext): Promise<KeysStage> {
  const stage = await KeysStage.open(t);
  const names = ['one', 'two', 'three', 'four'];
  const files = names.map((name) => [`${name}.yaml`, stage.manifest(name, { password: name })]);
  const renamed = stage.manifest('five', { password: 'five' }).replace('"name": "five"', '"name": "six"');
  await stage.commit({ ...Object.fromEntries(files), 'six.yaml': renamed });
  await stage.ask();
  return stage;
}

/** How many files of manifests are read meanwhile, and how many records are written. */
async function workDuring(t: TestContext, stage: KeysStage, work: () => Promise<unknown>): Promise<[number, number]> {
  const { repository } = stage.source;
  const before = stage.records.length;
  const { mock } = t.mock.method(repository, 'readBlob', repository.readBlob);
  await work();
  mock.restore();
  const state = await stage.source.accepted();
  let reads = 0;
  for (const path of (await stage.tree.git('ls-files', '*.yaml', ':!.coffer')).trim().split('\n')) {
    const entry = await repository.entryAt(state?.tree ?? '', path);
    reads += mock.calls.filter((call) => call.arguments[0] === entry?.oid).length;
  }
  return [reads, stage.records.length - before];
}

describe('manifests of an older key', () => {
  test('are parsed and opened once: not at a commit that leaves them, and of one that adds one, that one', async (t) => {
    const stage = await withManifests(t);
    const operator = stage.operator();
    const [reads, records] = await workDuring(t, stage, () => look(operator));
    assert.ok(reads >= 5 && records > 10, `${reads} ${records}`);
    const first = stage.proposal();
    assert.deepEqual([first?.stanzas.size, [...(first?.refused.keys() ?? [])]], [4, ['six.yaml']]);

    await stage.commit({ README: 'other' });
    assert.deepEqual(await workDuring(t, stage, () => look(operator)), [0, 0]);
    assert.deepEqual(stage.proposal(), first);

    await stage.commit({ 'new.yaml': stage.manifest('new', { token: 'two' }) });
    // By the index, and to be sealed.
    assert.deepEqual(await workDuring(t, stage, () => look(operator)), [2, 2]);
    const last = stage.proposal();
    assert.deepEqual([last?.stanzas.size, [...(last?.refused.keys() ?? [])]], [5, ['six.yaml']]);
    await stage.collect();
    assert.deepEqual(await stage.values('one.yaml'), { password: 'one' });
  });

  test('are not looked at again at every poll while a push is refused, which alone is tried again', async (t) => {
    const stage = await withManifests(t);
    let pushes = 0;
    const push: Pusher['push'] = async () => {
      pushes += 1;
      throw new CofferError('PUSH_REJECTED', 'protected', { advice: '', loop: 'retry' });
    };
    const { store } = stage;
    const operator = stage.operator({ store, pushers: new Map([[stage.source.id, { push, close: () => undefined }]]) });
    assert.deepEqual(await look(operator), ['PUSH_REJECTED']);
    const { mock } = t.mock.method(store, 'read', store.read);
    const poll = async () => assert.deepEqual(await look(operator), ['PUSH_REJECTED']);
    for (let polls = 0; polls < 3; polls++) assert.deepEqual(await workDuring(t, stage, poll), [0, 0]);
    assert.deepEqual([mock.callCount(), pushes], [0, 4]);
  });

  test('are proposed beside one that does not open, also when the log failed between them and what is proposed', async (t) => {
    const stage = await KeysStage.open(t);
    const group = testGroup('team', stage.production, [stage.production]);
    const good = stage.manifest('db', { password: 'one' });
    const renamed = stage.manifest('five', { password: 'five' }).replace('"name": "five"', '"name": "six"');
    await stage.commit({ ...recipientFiles(group), 'both.yaml': `---\n${good.trim()}\n---\n${renamed}` });
    await stage.ask();
    let isFull = true;
    const append = async (records: readonly AnyRecord[]) => {
      if (isFull && records.some(({ path }) => path === group.recipient.file))
        throw new CofferError('AUDIT_FULL', 'the disk is full', { advice: '', loop: 'retry' });
      stage.records.push(...records);
    };
    const operator = stage.operator({ audit: { append } });
    assert.deepEqual(await look(operator), ['AUDIT_FULL']);
    isFull = false;
    assert.deepEqual(await look(operator), []);
    const { stanzas, seeds, refused } = stage.proposal() ?? {};
    assert.deepEqual([stanzas?.size, seeds?.size, [...(refused?.keys() ?? [])]], [1, 1, ['both.yaml']]);
    await stage.commit({ README: 'other' });
    assert.deepEqual(await workDuring(t, stage, () => look(operator)), [0, 0], 'and neither is opened again');
    assert.equal(stage.proposal()?.stanzas.size, 1);
  });

  test('keep nobody waiting: the event loop gets its turns between them, and who closes the operator ends it', async (t) => {
    const stage = await withManifests(t);
    const state = await stage.source.accepted();
    assert.ok(state);
    const asked = await askedOf(stage.source, state, 'production');
    const keys = await stage.store.read();
    t.after(() => keys.wipe());
    const bytes = Buffer.from(stage.manifest('db', { password: 'one' }, [testCluster('staging')]));
    // As a clone answers from its memory: the disk owes nobody a turn.
    const repository = { readBlob: async () => bytes } as Partial<Repository> as Repository;
    const source = { id: 'main', repository } as Partial<Source> as Source;
    const paths = Array.from({ length: 50 }, (_, at) => `db-${at}.yaml`);
    const files: IndexedFile[] = paths.map((path) => ({ path, oid: path, to: { counts: new Map(), isUnclear: true } }));
    const ending = new AbortController();
    const options = { cluster: 'production', key: sealingKey(stage.production), keys, files, known: undefined };
    const work = () =>
      rewrapped({ ...asked, source }, { ...options, audit: { append: async () => undefined }, signal: ending.signal });
    // Each file takes a second by this clock, however fast the machine is.
    let now = 0;
    t.mock.method(performance, 'now', () => (now += 1000));
    let turns = 0;
    const count = () => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    t.after(() => clearImmediate(next));
    await work();
    assert.ok(turns >= files.length, `${turns}`);
    assert.ok(files.every(({ parsed }) => parsed?.own.length === 0));
    ending.abort();
    await assert.rejects(work(), { name: 'AbortError' });
  });
});
