import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeysStage, look } from '../../../test/rotate/keys-stage.ts';

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
    const proposed = stage.proposal();
    assert.equal(proposed?.stanzas.size, 2);
    assert.deepEqual(proposed.fulfils, [id]);
    assert.deepEqual(await stage.collect(), [
      `.coffer/recipients/production.yaml`,
      `.coffer/requests/${id}.yaml`,
      'api.yaml',
      'db.yaml',
    ]);
    const [made, old] = stage.listed.keys;
    assert.deepEqual([made?.status, old?.status, old?.kid], ['active', 'retired', former]);
    assert.deepEqual(stage.stanzasOf('db.yaml'), { [made?.kid ?? '']: 1 });
    assert.deepEqual(await stage.values('api.yaml'), { token: 'two' });
    assert.deepEqual(await look(operator), []);
    assert.equal(stage.proposal(), undefined);
    assert.equal((await stage.kids()).length, 2);
    const events = stage.records.map(({ event, change, step, action }) => [event, change ?? step ?? action].join(' '));
    assert.deepEqual(events, [
      'key.changed made',
      'secret.intent rewrap',
      'secret.intent rewrap',
      'secret.outcome rewrap',
      'secret.outcome rewrap',
      'key.changed announced',
    ]);
  });
});
