import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { storeSecretKey } from '../../../core/keys/key-directory.ts';
import { withNewKey } from '../../../core/keys/new-key.ts';
import { renderRequest, requestFile, rotateRequest } from '../../../core/requests/request.ts';
import { KeysStage, look } from '../../../test/rotate/keys-stage.ts';
import { recipientFiles, sealingKey, testCluster, testGroup } from '../../../test/support/secrets.ts';

const LATER = '2026-11-22T09:00:00Z';

describe('a committed wish for a new key', () => {
  test('is fulfilled by a proposal with the key and every stanza, after which nothing is sealed to the former one', async (t) => {
    const stage = await KeysStage.open(t);
    await stage.commit({
      'db.yaml': stage.manifest('db', { password: 'one' }),
      'api.yaml': stage.manifest('api', { token: 'two' }),
    });
    const operator = stage.operator();
    assert.deepEqual(await look(operator), []);
    assert.equal(stage.proposal(), undefined);
    const former = stage.listed.keys[0]?.kid ?? '';
    const id = await stage.ask({ reason: 'a laptop was lost' });
    assert.deepEqual(await look(operator), []);
    const paths = [`.coffer/recipients/production.yaml`, requestFile(id), 'api.yaml', 'db.yaml'];
    assert.deepEqual(await stage.collect(), paths);
    const [made, old] = stage.listed.keys;
    assert.deepEqual([made?.status, old?.status, old?.kid], ['active', 'retired', former]);
    assert.deepEqual(stage.stanzasOf('db.yaml'), { [made?.kid ?? '']: 1 });
    assert.deepEqual(await stage.values('api.yaml'), { token: 'two' });
    assert.deepEqual(await look(operator), []);
    assert.equal(stage.proposal(), undefined);
    assert.equal((await stage.kids()).length, 2);
    const events = stage.records.map(({ event, change, action }) => [event, change ?? action].join(' '));
    assert.deepEqual(events, [
      'key.changed made',
      'secret.intent rewrap',
      'secret.intent rewrap',
      'secret.outcome rewrap',
      'secret.outcome rewrap',
      'key.changed announced',
    ]);
    assert.ok(stage.records.every(({ dataKeyIds, action }) => action === undefined || dataKeyIds?.length === 1));
    assert.deepEqual([stage.records[0]?.request, stage.records[0]?.reason], [id, 'a laptop was lost']);
  });

  test('makes one key and each stanza once, however often it is looked at, by however many runs', async (t) => {
    const stage = await KeysStage.open(t);
    await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
    await stage.ask();
    const operator = stage.operator();
    await look(operator);
    const first = stage.proposal();
    await look(operator);
    await look(stage.operator());
    await stage.commit({ 'other.yaml': stage.manifest('other', { token: 'two' }) });
    await look(stage.operator());
    const last = stage.proposal();
    assert.equal(last?.recipient?.text, first?.recipient?.text);
    assert.equal(last?.stanzas.size, 2);
    for (const [id, row] of first?.stanzas ?? []) assert.deepEqual(last?.stanzas.get(id), row);
    assert.equal((await stage.kids()).length, 2);
    assert.deepEqual(stage.told('key.changed'), [`made ${first?.fulfils[0]}`, 'announced']);
  });

  test('of a stolen key revokes it, whatever became of the file meanwhile', async (t) => {
    const stage = await KeysStage.open(t);
    await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
    await stage.list((recipient) => ({
      ...recipient,
      keys: recipient.keys.map((key) => ({ ...key, status: 'revoked' })),
    }));
    assert.deepEqual(await look(stage.operator()), ['ROTATE_NO_ACTIVE_KEY']);
    await stage.revoke();
    assert.deepEqual(await look(stage.operator()), []);
    await stage.collect();
    assert.deepEqual(
      stage.listed.keys.map(({ status }) => status),
      ['active', 'revoked'],
    );
    assert.deepEqual(Object.keys(stage.stanzasOf('db.yaml')), [stage.listed.keys[0]?.kid]);
  });

  test('that turns out to be for a stolen key makes another: what lay beside it may be stolen too, and is listed so', async (t) => {
    const stage = await KeysStage.open(t);
    await stage.ask();
    await look(stage.operator());
    const lain = stage.proposal()?.recipient?.text;
    await stage.revoke();
    await look(stage.operator());
    await stage.collect();
    const [made, given, former] = stage.listed.keys;
    assert.deepEqual([made?.status, given?.status, former?.status], ['active', 'revoked', 'revoked']);
    assert.ok(lain?.includes(given?.kid ?? '-') && !lain.includes(made?.kid ?? ''));
    await look(stage.operator());
    assert.equal((await stage.kids()).length, 3);
    assert.equal(stage.proposal(), undefined);
  });

  test('for a key that nobody lists is refused, and recorded once', async (t) => {
    const stage = await KeysStage.open(t);
    const id = await stage.ask({ key: 'ab'.repeat(16) });
    for (let run = 0; run < 2; run++) assert.deepEqual(await look(stage.operator()), ['ROTATE_KEY_UNKNOWN']);
    assert.equal(stage.proposal(), undefined);
    assert.deepEqual(stage.told('request.refused'), [`ROTATE_KEY_UNKNOWN ${id}`]);
  });

  test('cannot be followed where nobody can vouch for the key, and is when the identity is there', async (t) => {
    const stage = await KeysStage.open(t);
    await stage.ask();
    const { store } = stage;
    const without = { ...bound(store), readIdentity: async () => undefined };
    const operator = stage.operator({ store: without });
    assert.deepEqual(await look(operator), ['ROTATE_NO_IDENTITY']);
    assert.equal((await stage.kids()).length, 1);
    assert.deepEqual(await look(stage.operator()), []);
    assert.equal((await stage.kids()).length, 2);
  });

  test('for another cluster is none of this one', async (t) => {
    const stage = await KeysStage.open(t);
    const staging = testCluster('staging');
    const { kid: key } = sealingKey(staging);
    const request = rotateRequest({ recipient: 'staging', key, revoke: false, created: LATER });
    await stage.commit({ ...recipientFiles(staging), [requestFile(request.id)]: renderRequest(request) });
    assert.deepEqual(await look(stage.operator()), []);
    assert.equal((await stage.kids()).length, 1);
  });
});

describe('manifests that arrive', () => {
  test('sealed to a former key are sealed to the newest next, and what cannot be read or opened is left and told', async (t) => {
    const stage = await KeysStage.open(t);
    const { key, seed } = stage.anotherKey(LATER);
    await storeSecretKey(join(stage.root, 'keys'), seed);
    await stage.list((recipient) => withNewKey(recipient, key, { formerStatus: 'retired' }));
    const good = stage.manifest('db', { password: 'one' });
    stage.now = new Date(LATER);
    const renamed = stage.manifest('other', { password: 'two' }).replace('"name": "other"', '"name": "renamed"');
    await stage.commit({
      'db.yaml': good,
      'renamed.yaml': renamed,
      'broken.yaml': good.slice(0, -20),
    });
    assert.deepEqual(await look(stage.operator()), []);
    const proposal = stage.proposal();
    assert.deepEqual([...(proposal?.refused.keys() ?? [])], ['renamed.yaml']);
    assert.deepEqual(await stage.collect(), ['db.yaml']);
    assert.deepEqual(Object.keys(stage.stanzasOf('db.yaml')), [key.kid]);
    assert.deepEqual(await stage.values('db.yaml'), { password: 'one' });
  });

  test('are no work where there was never another key', async (t) => {
    const stage = await KeysStage.open(t);
    await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
    const { repository } = stage.source;
    t.mock.method(repository, 'readBlob', repository.readBlob);
    await look(stage.operator());
    const read = t.mock.method(repository, 'readBlob', repository.readBlob).mock.callCount();
    assert.ok(read <= 2);
  });

  test('of a group of which the cluster is a member stay as they are: the seed of the group’s key is sealed to the newest', async (t) => {
    const stage = await KeysStage.open(t);
    const team = testGroup('team', stage.production, [stage.production]);
    const manifest = stage.manifest('db', { password: 'one' }, [team]);
    await stage.commit({ ...recipientFiles(team), 'db.yaml': manifest });
    await stage.ask();
    await look(stage.operator());
    assert.equal(stage.proposal()?.stanzas.size, 0);
    await stage.collect();
    const kids = Object.keys(stage.stanzasOf('.coffer/recipients/team.yaml'));
    assert.deepEqual(kids, [stage.listed.keys[0]?.kid]);
    assert.deepEqual(await look(stage.operator()), []);
    assert.equal(stage.proposal(), undefined);
  });
});

function bound(store: KeysStage['store']): KeysStage['store'] {
  return {
    place: store.place,
    read: () => store.read(),
    store: (seed) => store.store(seed),
    remove: (kid) => store.remove(kid),
    readIdentity: () => store.readIdentity(),
    storeIdentity: (seed) => store.storeIdentity(seed),
    close: () => store.close(),
  };
}
