import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openedBy, testOpener } from '../../../test/support/opening.ts';
import { readText, testKey, testKeys } from '../../../test/support/sealing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { compact } from '../../rotation/compact.ts';
import { rewrap } from '../../rotation/rewrap.ts';
import { removeReader, setReader } from './edit-readers.ts';
import { readdress } from './edit-recipients.ts';
import { renderManifest } from './new-manifest.ts';
import { sealPlaintext, setEntry } from './seal.ts';

before(sodiumReady);

function manifest({
  recipients = '[one, two]',
  readers = ' [{name: w}]',
  data = '    a: x\n    b: y1\n',
} = {}): string {
  const head = 'apiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: shop}\nspec:\n';
  return `${head}  recipients: ${recipients}\n  readers:${readers}\n  data:\n${data}`;
}

const json = (spec: object) =>
  JSON.stringify(
    { apiVersion: 'coffer.dev/v1', kind: 'EncryptedSecret', metadata: { name: 'db', namespace: 'shop' }, spec },
    null,
    2,
  );

describe('readers', () => {
  const rows = (text: string) => /readers:([\s\S]*?)\n {2}data:/.exec(text)?.[1];
  const cases: [what: string, before: string, change: (text: string) => string, after: string][] = [
    [
      'into an empty list',
      ' []',
      (text) => setReader(readText(text), 0, 'w', ['a']),
      '\n    - name: w\n      entries: [a]',
    ],
    [
      'into an empty list, with a comment',
      ' [] # none',
      (text) => setReader(readText(text), 0, 'w', undefined),
      ' # none\n    - name: w',
    ],
    [
      'as a last row',
      '\n    - name: v # why',
      (text) => setReader(readText(text), 0, '*', ['a']),
      '\n    - name: v # why\n    - name: "*"\n      entries: [a]',
    ],
    [
      'in a list without indentation',
      '\n  - name: v',
      (text) => setReader(readText(text), 0, 'w', ['a']),
      '\n  - name: v\n  - name: w\n    entries: [a]',
    ],
    [
      'into a flow list',
      ' [{name: v}]',
      (text) => setReader(readText(text), 0, 'w', ['a', 'b']),
      ' [{name: v}, {name: w, entries: [a, b]}]',
    ],
    [
      'more entries, flow',
      '\n    - name: w\n      entries: [a] # c',
      (text) => setReader(readText(text), 0, 'w', ['a', 'b']),
      '\n    - name: w\n      entries: [a, b] # c',
    ],
    [
      'other entries, block',
      '\n    - name: w\n      entries:\n        - a # c\n        - c',
      (text) => setReader(readText(text), 0, 'w', ['a', 'b']),
      '\n    - name: w\n      entries:\n        - a # c\n        - b',
    ],
    [
      'entries where all were granted',
      '\n    - name: w # c',
      (text) => setReader(readText(text), 0, 'w', ['a']),
      '\n    - name: w # c\n      entries: [a]',
    ],
    [
      'all where some were granted',
      '\n    - name: w\n      entries: [a]',
      (text) => setReader(readText(text), 0, 'w', undefined),
      '\n    - name: w',
    ],
    [
      'all where entries come first',
      '\n    - entries: [a]\n      name: w',
      (text) => setReader(readText(text), 0, 'w', undefined),
      '\n    - name: w',
    ],
    [
      'all, in flow',
      ' [{name: w, entries: [a]}]',
      (text) => setReader(readText(text), 0, 'w', undefined),
      ' [{name: w}]',
    ],
    [
      'for several rows of one reader',
      '\n    - name: w\n      entries: [a]\n    - name: v\n    - name: w',
      (text) => setReader(readText(text), 0, 'w', ['b']),
      '\n    - name: w\n      entries: [b]\n    - name: v',
    ],
    [
      'taken from one of two',
      '\n    - name: v\n    - name: w\n      entries: [a]',
      (text) => removeReader(readText(text), 0, 'w'),
      '\n    - name: v',
    ],
    [
      'taken from the last',
      '\n    - name: w\n      entries: [a]',
      (text) => removeReader(readText(text), 0, 'w'),
      ' []',
    ],
    ['taken from nobody', '\n    - name: v', (text) => removeReader(readText(text), 0, 'w'), '\n    - name: v'],
    [
      'none left of its entries',
      '\n    - name: w\n      entries: [a]',
      (text) => setReader(readText(text), 0, 'w', []),
      '\n    - name: w\n      entries: []',
    ],
  ];
  for (const [what, readers, change, after] of cases) {
    test(`granted, and nothing else touched: ${what}`, () => {
      const text = change(manifest({ readers }));
      assert.equal(rows(text), after);
      assert.equal(text.replace(after, readers), manifest({ readers }));
      readText(text);
    });
  }

  test('in JSON', () => {
    const before = json({ recipients: ['one'], readers: [{ name: 'v' }], data: {} });
    const text = setReader(readText(before), 0, 'w', ['a']);
    assert.deepEqual(JSON.parse(text).spec.readers, [{ name: 'v' }, { name: 'w', entries: ['a'] }]);
    assert.equal(removeReader(readText(text), 0, 'w'), before);
    assert.equal(removeReader(readText(before), 0, 'v'), before.replace(/\[\s+\{\s+"name": "v"\s+\}\s+\]/, '[]'));
  });
});

describe('recipients and stanzas', () => {
  const lists: [before: string, names: string[], after: string][] = [
    ['[one, two] # who', ['one', 'two', 'three'], '[one, two, three] # who'],
    ['[one, two]', ['two'], '[two]'],
    ['[one, two]', ['two', 'on'], '[two, "on"]'],
    ['\n    - one # a\n    - two # b', ['two', 'three'], '\n    - two # b\n    - three'],
    ['\n  - one\n  - two', ['one'], '\n  - one'],
  ];
  for (const [recipients, names, after] of lists) {
    test(`${JSON.stringify(recipients)} → ${names}`, () => {
      const text = readdress(readText(manifest({ recipients })), 0, names, new Map(), []);
      assert.equal(text, manifest({ recipients: after }));
    });
  }

  test('stanzas are added in the order of bytes, replaced and removed in place', () => {
    const text = sealPlaintext(readText(manifest()), testKeys).text;
    const [id = ''] = readText(text).manifests[0]?.stanzas.keys() ?? [];
    const stanza = `${'0'.repeat(32)}:${'A'.repeat(1558)}`;
    const more = readdress(
      readText(text),
      0,
      ['one', 'two'],
      new Map([
        [
          id,
          new Map([
            ['p', stanza],
            ['a', stanza],
            ['two', stanza],
          ]),
        ],
      ]),
      [],
    );
    assert.deepEqual(
      [...more.matchAll(/^ {6}(\w+): "(.)/gm)].map(([, name]) => name),
      ['a', 'one', 'p', 'two'],
    );
    assert.equal(readText(more).manifests[0]?.stanzas.get(id)?.get('two')?.text, stanza);
    const fewer = readdress(readText(more), 0, ['one', 'two'], new Map(), ['a', 'p']);
    assert.deepEqual(
      [...fewer.matchAll(/^ {6}(\w+): "(.)/gm)].map(([, name]) => name),
      ['one', 'two'],
    );
  });

  test('rewrapping changes only stanzas and the list; values and data keys stay', () => {
    const text = sealPlaintext(readText(manifest()), testKeys).text;
    const again = setEntry(readText(text), 0, 'b', Buffer.from('new'), testKeys({ recipients: ['one', 'two'] }));
    const now = rewrap(readText(again), 0, testOpener('one'), [testKey('three')], ['two']);
    assert.deepEqual(readText(now).manifests[0]?.recipients, ['one', 'three']);
    assert.deepEqual({ ...openedBy('three', readText(now)) }, { a: 'x', b: 'new' });
    assert.throws(() => openedBy('two', readText(now)), { code: 'MANIFEST_NOT_FOR_US' });
    const rest = (whole: string) =>
      whole.split('\n').filter((line) => !/^ {2}recipients| {6}\w+: "[0-9a-f]{32}:/.test(line));
    assert.deepEqual(rest(now), rest(again));
    assert.equal(rewrap(readText(now), 0, testOpener('one'), [testKey('three')], []), now);
  });

  test('rewrapping replaces a stanza for an older key, and fills in a missing one', () => {
    const text = sealPlaintext(readText(manifest()), testKeys).text;
    const now = rewrap(readText(text), 0, testOpener('one'), [testKey('two', 2)], []);
    assert.equal([...(readText(now).manifests[0]?.stanzas.values() ?? [])][0]?.get('two')?.kid, testKey('two', 2).kid);
    const pending = readdress(readText(now), 0, ['one', 'two', 'three'], new Map(), []);
    assert.deepEqual(
      { ...openedBy('three', readText(rewrap(readText(pending), 0, testOpener('one'), [testKey('three')], []))) },
      { a: 'x', b: 'y1' },
    );
  });

  test('who is removed may be the one who opens for who is added; nobody left is refused', () => {
    const text = sealPlaintext(readText(manifest({ recipients: '[one]' })), testKeys).text;
    const now = rewrap(readText(text), 0, testOpener('one'), [testKey('two')], ['one']);
    assert.deepEqual({ ...openedBy('two', readText(now)) }, { a: 'x', b: 'y1' });
    assert.throws(() => rewrap(readText(text), 0, testOpener('one'), [], ['one']), { code: 'REWRAP_NOBODY_LEFT' });
  });

  test('JSON is rewrapped too', () => {
    const before = json({ recipients: ['one'], readers: [], data: { a: 'x' } });
    const text = sealPlaintext(readText(before), testKeys).text;
    const now = rewrap(readText(text), 0, testOpener('one'), [testKey('two')], []);
    assert.deepEqual(Object.keys(JSON.parse(now).spec), ['recipients', 'readers', 'data', 'keys']);
    assert.deepEqual({ ...openedBy('two', readText(now)) }, { a: 'x' });
    assert.equal(now, JSON.stringify(JSON.parse(now), null, 2));
  });

  test('compacting leaves one data key and the same values, and touches no other line', () => {
    let text = sealPlaintext(readText(manifest()), testKeys).text;
    for (const entry of ['b', 'a', 'c']) {
      text = setEntry(readText(text), 0, entry, Buffer.from(entry), testKeys({ recipients: ['one', 'two'] }));
    }
    const now = compact(readText(text), 0, testOpener('two'), testKeys({ recipients: ['one', 'two'] }));
    assert.equal(readText(now).manifests[0]?.stanzas.size, 1);
    assert.deepEqual({ ...openedBy('one', readText(now)) }, { a: 'a', b: 'b', c: 'c' });
    assert.deepEqual(now.match(/^ {4}# .*$/gm), ['    # a', '    # b', '    # c']);
    assert.equal(now.split('  data:')[0], text.split('  data:')[0]);
  });
});

describe('a new manifest', () => {
  const wanted = {
    namespace: 'shop',
    name: 'db',
    recipients: ['one', 'two'],
    readers: [{ name: 'w', entries: new Set(['a']) }, { name: '*' }],
    entries: new Map([
      ['a', Buffer.from('x')],
      ['on', Buffer.from([0, 255])],
    ]),
  };
  const render = (changes: object = {}) =>
    renderManifest({ ...wanted, ...changes }, testKeys({ recipients: ['one', 'two'] }));

  test('is well-formed, sealed and in the writer’s layout', () => {
    const text = render({ type: 'kubernetes.io/tls', scope: 'cluster', namespaces: ['team-*'] });
    const file = readText(text);
    assert.deepEqual({ ...openedBy('one', file, 0, 'hex') }, { a: '78', on: '00ff' });
    assert.equal(file.manifests[0]?.type, 'kubernetes.io/tls');
    assert.deepEqual(file.manifests[0]?.namespaces, ['team-*']);
    assert.equal(sealPlaintext(file, testKeys).text, text);
    assert.match(text, /^# yaml-language-server: \$schema=\S+encrypted-secret\.schema\.json\napiVersion: /);
    assert.match(text, /\n {2}keys:\n {4}# a\n {4}"[-_A-Za-z0-9]{32}":\n {6}one: ".*"\n {6}two: ".*"\n {4}# on\n$/);
  });

  test('may have no entries yet', () => {
    const text = render({ entries: new Map(), readers: [] });
    assert.match(text, /\n {2}readers: \[\]\n {2}data: \{\}\n$/);
    assert.equal(readText(text).manifests[0]?.entries.size, 0);
  });

  const refused: [object, string][] = [
    [{ name: 'DB' }, 'DOCUMENT_FIELD'],
    [{ name: 'a: b' }, 'DOCUMENT_FIELD'],
    [{ namespace: '../x' }, 'DOCUMENT_FIELD'],
    [{ recipients: [] }, 'DOCUMENT_FIELD'],
    [{ type: 'bootstrap.kubernetes.io/token' }, 'MANIFEST_TYPE'],
    [{ namespaces: ['x'] }, 'MANIFEST_NAMESPACES'],
    [{ entries: new Map([['..', Buffer.from('x')]]) }, 'ENTRY_NAME'],
    [{ recipients: ['one', 'two', 'three'] }, 'SEALING_KEY_MISSING'],
  ];
  for (const [changes, code] of refused) {
    test(`is refused: ${JSON.stringify(changes)} ${code}`, () => assert.throws(() => render(changes), { code }));
  }
});
