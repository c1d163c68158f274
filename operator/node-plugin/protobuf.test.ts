import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NODE_PUBLISH_VOLUME_REQUEST } from './csi.ts';
import { decode, encode, type Message } from './protobuf.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Examples of https://protobuf.dev/programming-guides/encoding/. */
test('messages are encoded as the specification shows', () => {
  assert.deepEqual(encode({ a: [1, 'enum'] }, { a: 150 }), hex('08 96 01'));
  assert.deepEqual(encode({ b: [2, 'string'] }, { b: 'testing' }), hex('12 07 74 65 73 74 69 6e 67'));
  assert.deepEqual(encode({ c: [3, { a: [1, 'enum'] }] }, { c: { a: 150 } }), hex('1a 03 08 96 01'));
  assert.deepEqual(encode({ f: [6, ['string']] }, { f: ['a', '', 'b'] }), hex('32 01 61 32 00 32 01 62'));
  assert.deepEqual(encode({ m: [7, 'strings'] }, { m: new Map([['k', 'v']]) }), hex('3a 06 0a 01 6b 12 01 76'));
});

test('a request comes back as it was, and what is absent has its default', () => {
  const request = {
    volume_id: 'csi-1',
    target_path: '/pods/ü',
    volume_capability: { mount: { mount_flags: ['ro'], volume_mount_group: '2000' }, access_mode: { mode: 7 } },
    secrets: new Map([['token', '{"a":1}']]),
  };
  const read = decode(NODE_PUBLISH_VOLUME_REQUEST, encode(NODE_PUBLISH_VOLUME_REQUEST, request));
  assert.deepEqual(read, {
    ...request,
    volume_capability: {
      block: undefined,
      mount: { fs_type: '', mount_flags: ['ro'], volume_mount_group: '2000' },
      access_mode: { mode: 7 },
    },
    readonly: false,
    volume_context: new Map(),
  });
});

test('unknown fields of every kind are skipped', () => {
  const wide = { known: [1, 'string'], number: [9, 'enum'], text: [90, 'string'] } as const satisfies Message;
  const fixed = hex('a1 06 00 00 00 00 00 00 00 00  ad 06 00 00 00 00');
  const bytes = Buffer.concat([fixed, encode(wide, { known: 'x', number: 2 ** 32 - 1, text: 'y' }), fixed]);
  assert.deepEqual(decode({ known: [1, 'string'] }, bytes), { known: 'x' });
});

test('what is cut off or of another kind is refused', () => {
  const bytes = encode(NODE_PUBLISH_VOLUME_REQUEST, { volume_id: 'id', secrets: new Map([['k', 'v']]) });
  for (const length of [1, 2, 5, bytes.length - 1])
    assert.throws(() => decode(NODE_PUBLISH_VOLUME_REQUEST, bytes.subarray(0, length)), { code: 'GRPC_MESSAGE' });
  assert.throws(() => decode({ a: [1, 'string'] }, hex('08 96 01')), { code: 'GRPC_MESSAGE' });
  assert.throws(() => decode({}, hex('0b')), { code: 'GRPC_MESSAGE' });
});
