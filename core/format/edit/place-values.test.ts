import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { readText } from '../../../test/support/sealing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { CofferError } from '../../errors.ts';
import { placeValues } from './place-values.ts';

before(sodiumReady);

/** Sealed text as far as its form goes: edits open nothing. */
const sealed = (id: string) => `CF[1:${id.repeat(32)}:${'A'.repeat(96)}]`;
const stanza = `${'0'.repeat(32)}:${'A'.repeat(1558)}`;
const [OLD, NEW, NEWER] = [sealed('o'), sealed('n'), sealed('m')];
const STANZAS = new Map(['n', 'm'].map((id) => [id.repeat(32), new Map(['one', 'two'].map((name) => [name, stanza]))]));

function manifest(data: string, slots = ['a', 'b']): string {
  return `apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata: {name: db, namespace: shop}
spec:
  recipients: [one, two]
  readers: []
  data:${data}
  keys:
    # ${slots[0]}
    "${'o'.repeat(32)}":
      one: "${stanza}"
      two: "${stanza}"
    # ${slots[1]}
`;
}

/** As written in a table, and back. */
const long = (text: string) => text.replaceAll('OLD', OLD).replaceAll('NEWER', NEWER).replaceAll('NEW', NEW);
const short = (text: string) =>
  text
    .replaceAll(OLD, 'OLD')
    .replaceAll(NEWER, 'NEWER')
    .replaceAll(NEW, 'NEW')
    .replaceAll(stanza, 'STANZA')
    .replace(/"([onm])\1{31}"/g, '"$1"');

const place = (text: string, values: [string, string | undefined][], stanzas = STANZAS) =>
  placeValues(readText(text), 0, new Map(values), stanzas);

const dataOf = (text: string) => /\n {2}data:([\s\S]*?)\r?\n {2}keys:/.exec(short(text))?.[1];

describe('a former value stands right after its entry', () => {
  const styles: [name: string, before: string, after: string][] = [
    [
      'plain, with a comment',
      '\n    a: OLD # why\n    # of b\n    b: OLD',
      '\n    a: NEW # why\n    a.previous: NEW\n    # of b\n    b: OLD',
    ],
    ['quoted', '\n    "a": "OLD"\n    b: OLD', '\n    "a": "NEW"\n    a.previous: NEW\n    b: OLD'],
    ['on the next line', '\n    a:\n      OLD\n    b: OLD', '\n    a:\n      NEW\n    a.previous: NEW\n    b: OLD'],
    ['in a block', '\n    a: >-\n      OLD\n\n    b: OLD', '\n    a: NEW\n    a.previous: NEW\n\n    b: OLD'],
    ['as the last', '\n    b: OLD\n    a: OLD\n', '\n    b: OLD\n    a: NEW\n    a.previous: NEW\n'],
    ['in a flow collection, last', ' {a: "OLD", b: "OLD"}', ' {a: "NEW", b: "OLD", a.previous: "NEW"}'],
  ];
  for (const [name, before, after] of styles) {
    for (const [kind, lineBreak] of Object.entries({ LF: '\n', CRLF: '\r\n' })) {
      test(`${name}, with ${kind}`, () => {
        const lines = (text: string) => text.replaceAll('\n', lineBreak);
        const text = lines(long(manifest(before, before.startsWith('\n    b') ? ['b', 'a'] : ['a', 'b'])));
        const placed = place(text, [
          ['a', NEW],
          ['a.previous', NEW],
        ]);
        assert.equal(dataOf(placed), lines(after));
        const back = place(
          placed,
          [
            ['a', OLD],
            ['a.previous', undefined],
          ],
          new Map([['o'.repeat(32), STANZAS.get('n'.repeat(32)) ?? new Map()]]),
        );
        if (name !== 'in a block') assert.equal(dataOf(back), lines(before), 'and leaves nothing behind');
      });
    }
  }

  test('and so does its slot under keys', () => {
    const text = long(manifest('\n    a: OLD\n    b: OLD'));
    const placed = short(
      place(text, [
        ['a.previous', NEW],
        ['a', NEW],
      ]),
    );
    const [, keys] = placed.split('  keys:\n');
    assert.equal(
      keys,
      [
        '    # a\n    "o":\n      one: "STANZA"\n      two: "STANZA"\n',
        '    # a\n    "n":\n      one: "STANZA"\n      two: "STANZA"\n',
        '    # a.previous\n    # b\n',
      ].join(''),
    );
  });
});

describe('placing values that were sealed elsewhere', () => {
  const text = long(manifest('\n    a: OLD\n    b: OLD'));

  test('of two runs, each with its own stanzas; what nobody names any more goes', () => {
    const placed = place(text, [
      ['a', NEW],
      ['b', NEWER],
      ['c', NEW],
    ]);
    assert.equal(dataOf(placed), '\n    a: NEW\n    b: NEWER\n    c: NEW');
    const ids = [...short(placed).matchAll(/^ {4}"(.)":$/gm)].map(([, id]) => id);
    assert.deepEqual(ids, ['n', 'm']);
  });

  test('leaves out stanzas of whom the manifest does not list, and of data keys that no value names', () => {
    const row = new Map([...(STANZAS.get('n'.repeat(32)) ?? []), ['three', stanza]]);
    const placed = place(text, [['a', NEW]], new Map([...STANZAS, ['n'.repeat(32), row]]));
    assert.doesNotMatch(placed, /three|mmm/);
  });

  test('that are not there and are to go changes nothing', () => {
    assert.equal(place(text, [['c', undefined]]), text);
  });

  test('removes the last entry, and begins again', () => {
    const empty = place(text, [
      ['a', undefined],
      ['b', undefined],
    ]);
    assert.match(empty, /\n {2}data: \{\}\n$/);
    assert.match(short(place(empty, [['c', NEW]])), /\n {2}data:\n {4}c: NEW\n {2}keys:\n {4}# c\n {4}"n":\n/);
  });

  const refused: [why: string, values: [string, string | undefined][], code: string][] = [
    ['without what opens them', [['a', sealed('x')]], 'VALUE_WITHOUT_STANZAS'],
    ['that are not sealed', [['a', 'plaintext']], 'VALUE_MALFORMED'],
    ['under no name', [['a/b', NEW]], 'ENTRY_NAME'],
    [
      'that are too many',
      Array.from({ length: 255 }, (_, index): [string, string] => [`e${index}`, NEW]),
      'ENTRY_TOO_MANY',
    ],
  ];
  for (const [why, values, code] of refused) {
    test(`${why} is refused`, () => {
      assert.throws(
        () => place(text, values),
        (error) => error instanceof CofferError && error.code === code,
      );
    });
  }
});
