import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { DATA_KEY_ID } from '../../../schemas/grammar.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { dataKeyId, matchesId, newDataKey } from './data-key.ts';

before(sodiumReady);

describe('a data key', () => {
  test('is 32 bytes, new at every call, with an id of the grammar', () => {
    const [one, other] = [newDataKey(), newDataKey()];
    assert.equal(one.key.length, 32);
    assert.notDeepEqual(one.key, other.key);
    assert.match(one.id, new RegExp(DATA_KEY_ID));
  });

  test('matches its own id and no other', () => {
    const { id, key } = newDataKey();
    assert.ok(matchesId(key, id));
    for (const wrong of [newDataKey().id, '', id.slice(1), `${id}A`, id.toLowerCase(), `${id.slice(0, -1)}é`]) {
      assert.equal(matchesId(key, wrong), false);
    }
  });

  test('one bit makes another id', () => {
    const { id, key } = newDataKey();
    key[31] = (key[31] ?? 0) ^ 1;
    assert.notEqual(dataKeyId(key), id);
  });
});
