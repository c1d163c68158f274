import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { splitSecret } from './secret-data.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const asText = (data: ReadonlyMap<string, Buffer>) => [...data].map(([name, value]) => [name, value.toString()]);

describe('the data of a Secret', () => {
  test('is split from its JSON, whatever else of the object looks like it', () => {
    const annotation = JSON.stringify({ data: { a: base64('not this') } });
    const object = {
      kind: 'Secret',
      metadata: {
        name: 'keys',
        resourceVersion: '7',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': annotation },
        managedFields: [{ fieldsV1: { 'f:data': { '.': {}, 'f:a': {} } } }],
      },
    };
    const secret = { ...object, data: { 'a.key': base64('one'), b: '' }, type: 'Opaque' };
    const split = splitSecret(Buffer.from(JSON.stringify(secret)));
    assert.deepEqual(asText(split.data), [
      ['a.key', 'one'],
      ['b', ''],
    ]);
    assert.deepEqual(split.object, { ...object, data: {}, type: 'Opaque' });
  });

  test('is none where there is none', () => {
    for (const data of [{}, { data: {} }]) {
      assert.deepEqual([...splitSecret(Buffer.from(JSON.stringify({ metadata: { name: 'a' }, ...data }))).data], []);
    }
  });

  test('that is no base64 is refused, and never quoted', () => {
    const json = Buffer.from(JSON.stringify({ metadata: { name: 'a' }, data: { a: base64('fine'), b: 'QQ=Q' } }));
    assert.throws(() => splitSecret(json), { code: 'ENCODING_BASE64', message: /^[^Q]*$/ });
  });
});
