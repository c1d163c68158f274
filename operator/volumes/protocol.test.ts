import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { frameParts, readFrame } from './protocol.ts';

const entryName = fc.stringMatching(/^[-_a-zA-Z0-9]{1,40}$/);

test('a frame gives back the entries that it was made of', () => {
  const values = fc.array(fc.tuple(entryName, fc.uint8Array({ maxLength: 500 })), { maxLength: 8 });
  fc.assert(
    fc.property(fc.string(), values, (version, pairs) => {
      const given = new Map(pairs.map(([name, bytes]) => [name, Buffer.from(bytes)]));
      assert.deepEqual(readFrame(Buffer.concat(frameParts(version, given))), { version, values: given });
    }),
  );
});

test('a frame that was cut off, continued or made up is refused', () => {
  const frame = Buffer.concat(
    frameParts(
      '1',
      new Map([
        ['a', Buffer.from('one')],
        ['b', Buffer.from('two')],
      ]),
    ),
  );
  for (let length = 0; length < frame.length; length += 1)
    assert.throws(() => readFrame(frame.subarray(0, length)), { code: 'VOLUME_FRAME' });
  assert.throws(() => readFrame(Buffer.concat([frame, Buffer.from('x')])), { code: 'VOLUME_FRAME' });
  for (const header of [
    '{"version":1,"entries":[]}',
    '{"version":"1","entries":[["..data",0]]}',
    '{"version":"1","entries":[["../a",0]]}',
    '{"version":"1","entries":[["a",0],["a",0]]}',
    '{"version":"1","entries":[["a",-1],["b",1]]}',
    '[]',
  ]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(header.length);
    assert.throws(() => readFrame(Buffer.concat([length, Buffer.from(header)])), { code: 'VOLUME_FRAME' }, header);
  }
});
