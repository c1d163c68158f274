import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { canonicalJson, ENTRY_LIMIT, entryOf, fitting, lineOf } from './canonical.ts';
import { entriesIn, entryTileOf, leadingEntries } from './entry-tile.ts';
import type { AnyRecord, AuditLine, IntentRecord } from './record.ts';

const LINE: AuditLine = { sequence: 7, time: '2026-11-21T09:00:00.000Z', event: 'secret.intent', name: 'db' };

describe('canonical JSON', () => {
  test('is that of RFC 8785', () => {
    // §3.2.3 and its appendix: names sorted by UTF-16 units, ECMAScript numbers, the shortest escapes.
    const given = {
      '\u20ac': 'Euro',
      '\r': 'CR',
      '\ufb33': 'Dalet',
      '\ud83d\ude00': 'Smile',
      '\u0080': 'C',
      '\u00f6': 'o',
    };
    assert.deepEqual(Object.keys(JSON.parse(canonicalJson(given))), [
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\ud83d\ude00',
      '\ufb33',
    ]);
    assert.equal(
      canonicalJson({ b: [1e21, 4.5, -0, true, null], a: '\u20ac$\u000f\nA\'B"\\\\"/' }),
      String.raw`{"a":"€$\u000f\nA'B\"\\\\\"/","b":[1e+21,4.5,0,true,null]}`,
    );
    assert.equal(canonicalJson({ a: undefined, b: '\ud800' }), '{"b":"\ufffd"}');
  });

  test('is one way of writing: whatever else says the same is no record', () => {
    assert.deepEqual(lineOf(entryOf(LINE)), LINE);
    const text = entryOf(LINE).toString();
    for (const other of [
      text.replace(':', ': '),
      text.replace('7', '7.0'),
      text.replace('"db"', String.raw`"\u0064b"`),
      `${text} `,
      JSON.stringify(LINE),
      text.replace('7', '0'),
      text.replace('"sequence":7,', ''),
      '[]',
      'null',
      '"text"',
      '',
    ])
      assert.equal(lineOf(Buffer.from(other)), undefined, other);
    assert.equal(lineOf(Buffer.concat([entryOf(LINE), Buffer.of(0xff)])), undefined);
  });

  test('of a record that nests without end is not walked', () => {
    const deep = `{"event":${'['.repeat(30_000)}${']'.repeat(30_000)},"sequence":1,"time":""}`;
    assert.equal(lineOf(Buffer.from(deep)), undefined);
  });
});

describe('a record that is too large for its tile', () => {
  test('is written as several of the same operation that share its longest list, and none of it is lost', () => {
    const entries = Array.from({ length: 256 }, (_, at) => `${at}`.padEnd(253, 'e'));
    const workloads = Array.from({ length: 300 }, (_, at) => `namespace/${at}`.padEnd(120, 'w'));
    const record: IntentRecord = { event: 'secret.intent', operation: 'one', entries, workloads };
    const parts: AnyRecord[] = fitting(record);
    assert.ok(parts.length > 1);
    for (const part of parts) {
      assert.ok(Buffer.byteLength(canonicalJson(part)) < ENTRY_LIMIT - 100);
      assert.equal(part.operation, 'one');
    }
    assert.deepEqual([...new Set(parts.flatMap((part) => part.entries ?? []))], entries);
    assert.deepEqual([...new Set(parts.flatMap((part) => part.workloads ?? []))].sort(), workloads.sort());
  });

  test('fits in the end, whatever it holds', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 50 }),
      fc.constant('\u001f'.repeat(70_000)),
      fc.constant('ü'.repeat(40_000)),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 40 }), text, text, (entries, message, name) => {
        for (const part of fitting({ event: 'secret.outcome', entries, message, author: { name, email: name } }))
          assert.ok(entryOf({ ...part, ...LINE, sequence: Number.MAX_SAFE_INTEGER }).length <= ENTRY_LIMIT);
      }),
      { numRuns: 15 },
    );
  });

  test('is itself where it is not', () => {
    const record: IntentRecord = { event: 'secret.intent', entries: ['a'], name: 'db' };
    assert.deepEqual(fitting(record), [record]);
  });
});

test('an entry tile gives back its entries; one that was cut or does not add up gives none, and says how far it goes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 }), (arrays) => {
      const entries = arrays.map((bytes) => Buffer.from(bytes));
      const tile = entryTileOf(entries);
      assert.deepEqual(entriesIn(tile), entries);
      if (tile.length === 0) return;
      const cut = tile.subarray(0, -1);
      const { entries: left, isWhole } = leadingEntries(cut);
      assert.deepEqual([left, isWhole], [entries.slice(0, -1), false]);
      assert.equal(entriesIn(cut), undefined);
    }),
  );
  assert.equal(entriesIn(entryTileOf(Array.from({ length: 257 }, () => Buffer.alloc(1)))), undefined);
});
