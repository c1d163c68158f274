import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { secretBody } from './secret-body.ts';

const head = { metadata: { name: 'db', namespace: 'payments', labels: { quoted: 'a"b' } }, type: 'Opaque' };

test('the body is the JSON of a Secret, whatever bytes the values are', () => {
  const entry = fc.stringMatching(/^[-._a-zA-Z0-9]{1,20}$/);
  fc.assert(
    fc.property(fc.dictionary(entry, fc.uint8Array({ maxLength: 100 })), (entries) => {
      const body = JSON.parse(secretBody(head, new Map(Object.entries(entries))).toString());
      assert.deepEqual({ metadata: body.metadata, type: body.type }, head);
      const found = Object.entries<string>(body.data).map(([name, value]) => [name, Buffer.from(value, 'base64')]);
      const given = Object.entries(entries).map(([name, value]) => [name, Buffer.from(value)]);
      assert.deepEqual(found.sort(), given.sort());
    }),
  );
});

test('a name that is dangerous elsewhere is an entry like others', () => {
  const body = secretBody(head, new Map([['__proto__', Buffer.from('x')]])).toString();
  assert.match(body, /"data":\{"__proto__":"eA=="\}/);
});
