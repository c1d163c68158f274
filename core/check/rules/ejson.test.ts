import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encryptEjson } from '../../ejson/encrypter.ts';
import { ejsonFindings } from './ejson.ts';

const PUBLIC_KEY = '63ccf05a9492e68e12eeb1c705888aebdcc0080af7e594fc402beb24cce9d14f';

test('plaintext strings of an ejson file are found at their lines, sealed and underscored ones are not', () => {
  const { text } = encryptEjson(Buffer.from(`{"_public_key": "${PUBLIC_KEY}", "sealed": "one"}`), 's.ejson');
  const mixed = text.replace('"sealed"', '\n"_comment": "read me",\n"port": 5432,\n"plain": "hunter2",\n"sealed"');
  const found = ejsonFindings(Buffer.from(mixed), 's.ejson');
  assert.deepEqual(
    found.map(({ rule, data }) => [rule, data.line]),
    [['CHECK_EJSON_PLAINTEXT', 4]],
  );
  assert.ok(!JSON.stringify(found).includes('hunter2'));
  assert.deepEqual(ejsonFindings(Buffer.from(text), 's.ejson'), []);
});

test('an ejson file that cannot be read is one finding, under the code of its error', () => {
  assert.deepEqual(
    ejsonFindings(Buffer.from('{"a": '), 's.ejson').map(({ rule }) => rule),
    ['EJSON_SYNTAX'],
  );
});
