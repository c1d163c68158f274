import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { entryOf } from '../canonical.ts';
import { entryTileOf } from '../entry-tile.ts';
import { misframedEntries } from './misframed.ts';

const records = (count: number, name: string) =>
  Array.from({ length: count }, (_, at) => entryOf({ sequence: at + 1, time: '', event: 'secret.intent', name }));

test('of a tile in which the text of one record was changed and its length was not, all others are found in their places', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 256 }),
      fc.nat(255),
      fc.uint8Array({ maxLength: 400 }),
      fc.string({ maxLength: 300 }),
      (count, at, bytes, name) => {
        const [whole, changed] = [records(count, name), at % count];
        const before = entryTileOf(whole.slice(0, changed)).length + 2;
        const end = before + (whole[changed]?.length ?? 0);
        const tile = entryTileOf(whole);
        const found = misframedEntries(Buffer.concat([tile.subarray(0, before), bytes, tile.subarray(end)]));
        assert.deepEqual(found.toSpliced(changed, 1), whole.toSpliced(changed, 1));
      },
    ),
  );
});

test('of a tile that only looks like one, no more than a tile holds is found, and soon', () => {
  const hostile = Buffer.alloc(4 * 1024 * 1024, '\u0000\u0004{ab}');
  assert.ok(misframedEntries(hostile).length <= 256);
});
