import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openedBy } from '../../../test/support/opening.ts';
import { readText, testKeys } from '../../../test/support/sealing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { sealPlaintext, setEntry, unsetEntry } from './seal.ts';

before(sodiumReady);

const HEAD = 'apiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: shop}\nspec:\n';
const WHO = '  recipients: [one]\n  readers: [{name: w}]\n';

const sealed = (text: string) => sealPlaintext(readText(text), testKeys).text;
const set = (text: string, entry: string, value = 'new') =>
  setEntry(readText(text), 0, entry, Buffer.from(value), testKeys({ recipients: ['one'] }));
const values = (text: string, index = 0) => ({ ...openedBy('one', readText(text), index) });

/** Data key ids become `K1`, `K2`… in the order of the text; sealed texts and stanzas become short. */
function short(text: string): string {
  const ids = new Map<string, string>();
  return text
    .replace(/CF\[1:([-_A-Za-z0-9]{32}):[-_A-Za-z0-9]+\]/g, (_, id: string) => {
      if (!ids.has(id)) ids.set(id, `K${ids.size + 1}`);
      return `CF[${ids.get(id)}]`;
    })
    .replace(/"[0-9a-f]{32}:[-_A-Za-z0-9]{1558}"/g, 'STANZA')
    .replace(/"([-_A-Za-z0-9]{32})"/g, (whole, id: string) => ids.get(id) ?? whole);
}

describe('layouts that another writer or a person made', () => {
  test('data keys without any slots stay where they are; what is set gets a slot', () => {
    const bare = sealed(`${HEAD}${WHO}  data:\n    a: x\n    b: y1\n`).replace(/^ {4}# .*\n/gm, '');
    assert.equal(
      short(set(bare, 'b')).slice(HEAD.length + WHO.length),
      '  data:\n    a: CF[K1]\n    b: CF[K2]\n  keys:\n    K1:\n      one: STANZA\n    # b\n    K2:\n      one: STANZA\n',
    );
    assert.deepEqual(values(set(set(bare, 'b'), 'a')), { a: 'new', b: 'new' });
  });

  test('keys may stand before data, with comments of people, which stay', () => {
    const text = sealed(`${HEAD}  keys: {} # ours\n${WHO}  data:\n    a: x\n    b: y1\n`);
    const commented = text.replace('    # b\n', '    # Do not touch this!\n\n    # b\n');
    const now = set(set(commented, 'b'), 'a');
    assert.equal(
      short(now).slice(HEAD.length).replace(WHO, ''),
      [
        '  keys: # ours\n    # a\n    K1:\n      one: STANZA\n    # Do not touch this!\n\n    # b\n    K2:\n      one: STANZA\n',
        '  data:\n    a: CF[K1]\n    b: CF[K2]\n',
      ].join(''),
    );
  });

  test('keys in flow style stay in flow style, with names in double quotes', () => {
    const block = sealed(`${HEAD}${WHO}  data:\n    a: x\n    b: y1\n`);
    const [, id = '', stanza = ''] = /"([-_\w]{32})":\n {6}one: (".*")/.exec(block) ?? [];
    const flow = `${block.split('  keys:')[0]}  keys: {"${id}": {one: ${stanza}}}\n`;
    assert.match(short(set(flow, 'a')), /\n {2}keys: \{K2: \{one: STANZA\}, K1: \{"one": STANZA\}\}\n$/);
    assert.match(short(set(set(flow, 'a'), 'b')), /\n {2}keys: \{K1: \{"one": STANZA\}, K2: \{"one": STANZA\}\}\n$/);
    assert.deepEqual(values(set(set(flow, 'a'), 'b')), { a: 'new', b: 'new' });
  });

  test('a whole spec in flow style', () => {
    const text = sealed(`${HEAD.replace('spec:\n', 'spec: {recipients: [one], readers: [], data: {a: x}}\n')}`);
    assert.match(
      short(text),
      /spec: \{recipients: \[one\], readers: \[\], data: \{a: "CF\[K1\]"\}, "keys": \{K1: \{"one": STANZA\}\}\}\n$/,
    );
    assert.deepEqual(values(text), { a: 'x' });
  });

  test('several manifests in one file are sealed apart', () => {
    const one = `${HEAD}${WHO}  data:\n    a: x\n`;
    const text = sealed(`${one}---\n# foreign\nkind: Secret\n---\n${one.replace('name: db', 'name: other')}`);
    assert.deepEqual([values(text, 0), values(text, 1)], [{ a: 'x' }, { a: 'x' }]);
    assert.equal(
      short(text)
        .match(/K[12]:/g)
        ?.join(''),
      'K1:K2:',
    );
    assert.match(text, /---\n# foreign\nkind: Secret\n---\n/);
  });

  test('a key with a space before its colon, a comment after it', () => {
    const text = sealed(`${HEAD}${WHO}  data : # why\n    a: x\n`);
    const empty = unsetEntry(readText(text), 0, 'a');
    assert.equal(empty, `${HEAD}${WHO}  data : {} # why\n`);
    assert.equal(
      short(set(empty, 'b')).slice(0, -'      one: STANZA\n'.length),
      `${HEAD}${WHO}  data : # why\n    b: CF[K1]\n  keys:\n    # b\n    K1:\n`,
    );
  });

  test('a removed entry leaves its comment while something stands under it, and takes it along later', () => {
    let text = sealed(`${HEAD}${WHO}  data:\n    a: x\n    b: y1\n    c: z\n`);
    text = unsetEntry(readText(text), 0, 'a');
    assert.deepEqual(text.match(/^ {4}# .*$/gm), ['    # a', '    # a', '    # b', '    # c']);
    text = set(set(text, 'b'), 'c');
    assert.deepEqual(values(text), { b: 'new', c: 'new' });
    assert.equal(readText(text).manifests[0]?.stanzas.size, 2);
    assert.deepEqual(set(text, 'b').match(/^ {4}# .*$/gm), ['    # b', '    # c']);
  });
});
