import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { HeldDigests } from './held-digests.ts';
import { baseline, changed, parseReadState, type ReadState, readStateText } from './read-state.ts';

const name = fc.string({ unit: fc.constantFrom('a', 'B', '-', '.', '_', '0'), minLength: 1, maxLength: 12 });
const read = fc.oneof(
  name,
  fc.tuple(name, name).map((parts) => parts.join('/')),
);
const digest = fc.string({ unit: fc.constantFrom('a', 'Z', '-', '_', '9'), minLength: 1, maxLength: 16 });

test('a state comes back from its annotation under the same key, and empty under another or from anything else', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(read, digest)), (rows) => {
      const state = new Map(rows);
      assert.deepEqual(parseReadState(readStateText(state, 'key1'), 'key1'), state);
      assert.equal(parseReadState(readStateText(state, 'key1'), 'key2').size, 0);
    }),
  );
  assert.equal(parseReadState(undefined, 'key1').size, 0);
  fc.assert(fc.property(fc.string(), (text) => void parseReadState(text, 'key1')));
});

test('what was read before keeps its digest, what is new gets its own, what is not read any more goes', () => {
  const before = new Map([
    ['db/PASSWORD', 'old'],
    ['gone', 'old'],
  ]);
  const reads = ['db/PASSWORD', 'new', 'missing'].map((what) => ({ what, isOptional: false }));
  const digestOf = (what: string) => (what === 'missing' ? undefined : 'now');
  assert.deepEqual(
    baseline(before, [...reads, { what: 'optional', isOptional: true }], (what) =>
      what === 'optional' ? undefined : digestOf(what),
    ),
    new Map([
      ['db/PASSWORD', 'old'],
      ['new', 'now'],
      ['optional', '-'],
    ]),
  );
});

test('a state has changed when something that is there has another digest; what is not there is no change', () => {
  const table: [state: [string, string][], now: Record<string, string>, expected: [string, string][] | undefined][] = [
    [[['a', '1']], { a: '1' }, undefined],
    [[['a', '1']], {}, undefined],
    [[], { a: '1' }, undefined],
    [
      [
        ['a', '1'],
        ['b', '1'],
      ],
      { a: '2' },
      [
        ['a', '2'],
        ['b', '1'],
      ],
    ],
    [[['a', '-']], { a: '1' }, [['a', '1']]],
  ];
  for (const [state, now, expected] of table) {
    const after: ReadState | undefined = changed(new Map(state), (what) => now[what]);
    assert.deepEqual(after && [...after], expected);
  }
});

test("the digest of a whole Secret follows its entries, whatever their order; an entry's follows its own alone", () => {
  const held = new HeldDigests();
  const set = (...entries: [string, string][]) => held.set('app', 'db', new Map(entries));
  set(['a', '1'], ['b', '2']);
  const [whole, a] = [held.of('app', 'db'), held.of('app', 'db/a')];
  set(['b', '2'], ['a', '1']);
  assert.deepEqual([held.of('app', 'db'), held.of('app', 'db/a')], [whole, a]);
  set(['a', '1'], ['b', '3']);
  assert.notEqual(held.of('app', 'db'), whole);
  assert.equal(held.of('app', 'db/a'), a);
  assert.deepEqual(
    ['db/c', 'other', 'other/a'].map((what) => held.of('app', what)),
    [undefined, undefined, undefined],
  );
  assert.equal(held.of('elsewhere', 'db'), undefined);
});

test('a former value that comes or goes is no other Secret, and has a digest for who reads just that', () => {
  const held = new HeldDigests();
  const set = (...entries: [string, string][]) => held.set('app', 'db', new Map(entries));
  set(['a', '1'], ['previous', '2'], ['z', '3']);
  const whole = held.of('app', 'db');
  set(['a', '1'], ['a.previous', '0'], ['previous', '2'], ['z', '3'], ['z.previous', '4']);
  assert.equal(held.of('app', 'db'), whole);
  assert.notEqual(held.of('app', 'db/a.previous'), held.of('app', 'db/z.previous'));
});
