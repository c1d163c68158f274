import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { openedBy } from '../../../test/support/opening.ts';
import fc from '../../../test/support/properties.ts';
import { readText, testKeys } from '../../../test/support/sealing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { sealPlaintext, setEntry, unsetEntry } from './seal.ts';

before(sodiumReady);

const HEAD = `apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata: {name: db, namespace: shop}
spec:
  recipients: [one, two]
  readers: [{name: w}]
`;

/** The plaintext of every entry, as recipient two reads it. */
function opened(text: string): Record<string, string> {
  return { ...openedBy('two', readText(text)) };
}

function sealed(text: string): string {
  return sealPlaintext(readText(text), testKeys).text;
}

/** With what differs from run to run shortened. */
function short(text: string): string {
  return text
    .replace(/CF\[1:[-_A-Za-z0-9]{32}:[-_A-Za-z0-9]+\]/g, 'CF[…]')
    .replace(/[0-9a-f]{32}:[-_A-Za-z0-9]{1558}/g, 'STANZA')
    .replace(/"[-_A-Za-z0-9]{32}"/g, '"ID"');
}

const KEYS = `  keys:
    # a
    "ID":
      one: "STANZA"
      two: "STANZA"
`;

describe('sealing what is plaintext', () => {
  const styles: [name: string, before: string, after: string, value: string][] = [
    ['plain', 'a: hunter2', 'a: CF[…]', 'hunter2'],
    ['plain over lines', 'a: one\n      two', 'a: CF[…]', 'one two'],
    ['double-quoted', 'a: "tab\\t"   # why', 'a: "CF[…]"   # why', 'tab\t'],
    ['single-quoted', "a: 'it''s'", "a: 'CF[…]'", "it's"],
    ['on the next line', 'a:\n      hunter2', 'a:\n      CF[…]', 'hunter2'],
    ['literal', 'a: |\n      one\n      two', 'a: CF[…]', 'one\ntwo\n'],
    ['literal, stripped, with a comment', 'a: |- # why\n      one', 'a: CF[…] # why', 'one'],
    ['folded, indented by hand', 'a: >2\n        one\n      two', 'a: CF[…]', '  one\ntwo\n'],
    ['!!binary', 'a: !!binary aGVsbG8=', 'a: CF[…]', 'hello'],
    ['!!binary in a block', 'a: !!binary |\n      aGVs\n      bG8=', 'a: CF[…]', 'hello'],
    ['!!binary in quotes', 'a: !!binary "aGVsbG8="', 'a: "CF[…]"', 'hello'],
    ['quoted key', '"a": x1', '"a": CF[…]', 'x1'],
  ];
  for (const [name, source, target, value] of styles) {
    test(`replaces only the value: ${name}`, () => {
      const text = sealed(`${HEAD}  data:\n    ${source}\n    # end\n`);
      assert.equal(short(text), `${HEAD}  data:\n    ${target}\n    # end\n${KEYS}`);
      assert.deepEqual(opened(text), { a: value });
    });
  }

  test('in a flow collection, sealed text is double-quoted', () => {
    const text = sealed(`${HEAD}  data: {a: x, b: "y"}\n`);
    assert.equal(short(text), `${HEAD}  data: {a: "CF[…]", b: "CF[…]"}\n${KEYS}    # b\n`);
  });

  test('JSON keeps its indentation', () => {
    const json = JSON.stringify(
      {
        apiVersion: 'coffer.dev/v1',
        kind: 'EncryptedSecret',
        metadata: { name: 'db', namespace: 'shop' },
        spec: { recipients: ['two', 'one'], readers: [{ name: 'w' }], data: { a: 'x', b: 'y' } },
      },
      null,
      4,
    );
    const text = sealed(json);
    const after = JSON.parse(short(text));
    assert.deepEqual(after.spec.keys, { ID: { one: 'STANZA', two: 'STANZA' } });
    assert.equal(text, JSON.stringify(JSON.parse(text), null, 4));
    assert.deepEqual(opened(text), { a: 'x', b: 'y' });
    const compact = sealed(JSON.stringify(JSON.parse(json)));
    assert.equal(compact, JSON.stringify(JSON.parse(compact)));
  });

  test('line ends and a missing final newline stay', () => {
    const crlf = sealed(`${HEAD}  data:\n    a: x\n`.replaceAll('\n', '\r\n'));
    assert.equal(short(crlf), `${HEAD}  data:\n    a: CF[…]\n${KEYS}`.replaceAll('\n', '\r\n'));
    assert.equal(short(sealed(`${HEAD}  data:\n    a: x`)), `${HEAD}  data:\n    a: CF[…]\n${KEYS}`.slice(0, -1));
  });

  test('every indentation is followed', () => {
    const wide = `${HEAD}  data:\n    a: x\n`.replace(/^( +)/gm, '$1$1');
    assert.equal(short(sealed(wide)), `${HEAD}  data:\n    a: CF[…]\n${KEYS}`.replace(/^( +)/gm, '$1$1'));
  });

  test('what follows the manifest stays where it is: documents, comments, fields', () => {
    const tail = '  # deeper\n# outside\n---\napiVersion: v1\nkind: ConfigMap\ndata: {a: &x 1, b: *x}\n';
    const text = sealed(`# head\n---\n${HEAD}  data:\n    a: x\n  type: Opaque\n${tail}`);
    const expected = `# head\n---\n${HEAD}  data:\n    a: CF[…]\n  type: Opaque\n  # deeper\n${KEYS}# outside\n`;
    assert.equal(short(text), expected + tail.slice(tail.indexOf('---')));
  });

  test('blank lines that belong to a block scalar before stay in it', () => {
    const template = '  template:\n    data:\n      t: |+\n        x\n\n';
    const text = sealed(`${HEAD}  data:\n    a: x\n${template}`);
    assert.equal(short(text), `${HEAD}  data:\n    a: CF[…]\n${template}${KEYS}`);
  });

  test('__proto__ and names that YAML would misread are entries like others', () => {
    const text = sealed(`${HEAD}  data:\n    __proto__: x\n    "on": y1\n    "1": z\n`);
    const values = new Map(Object.entries(openedBy('two', readText(text))));
    assert.deepEqual([values.get('__proto__'), values.get('on'), values.get('1')], ['x', 'y1', 'z']);
  });

  test('is idempotent: nothing is plaintext, nothing changes', () => {
    const text = sealed(`${HEAD}  data:\n    a: x\n    b: y1\n`);
    const again = sealPlaintext(readText(text), () => assert.fail('no key is asked for'));
    assert.equal(again.text, text);
    assert.deepEqual(again.sealed, []);
  });

  test('wipes the plaintext that the model held', () => {
    const file = readText(`${HEAD}  data:\n    a: hunter2\n`);
    const entry = file.manifests[0]?.entries.get('a');
    sealPlaintext(file, testKeys);
    assert.ok(entry?.kind === 'plaintext' && entry.bytes.every((byte) => byte === 0));
  });

  test('one run is one data key; a data key that no value names goes', () => {
    const first = sealed(`${HEAD}  data:\n    a: x\n    b: y1\n`);
    const second = sealed(first.replace(/a: CF.*/, 'a: new').replace(/b: CF.*/, 'b: new'));
    const manifest = readText(second).manifests[0];
    assert.equal(manifest?.stanzas.size, 1);
    assert.deepEqual(opened(second), { a: 'new', b: 'new' });
    assert.ok([...(manifest?.stanzas.keys() ?? [])].every((id) => !first.includes(id)));
  });

  test('wipes the data key, be it that nobody can be sealed to', () => {
    for (const spoil of [0, 32]) {
      const file = readText(`${HEAD}  data:\n    a: x\n`);
      const drawn: Buffer[] = [];
      const random = (length: number) => {
        drawn.push(randomBytes(length));
        return drawn.at(-1) ?? Buffer.alloc(0);
      };
      // The X25519 part of a public key is its end; all zeros, it is a point of low order.
      const keys = (manifest: Parameters<typeof testKeys>[0]) =>
        testKeys(manifest).map((key) => ({ ...key, publicKey: Buffer.from(key.publicKey).fill(0, 1216 - spoil) }));
      if (spoil === 0) sealPlaintext(file, keys, random);
      else assert.throws(() => sealPlaintext(file, keys, random), { code: 'HPKE_LOW_ORDER' });
      assert.ok(drawn[0]?.equals(Buffer.alloc(32)));
    }
  });

  test('refuses to seal without a key for a listed recipient', () => {
    const file = readText(`${HEAD}  data:\n    a: x\n`);
    const missing = { code: 'SEALING_KEY_MISSING' };
    assert.throws(() => sealPlaintext(file, () => testKeys({ recipients: ['one'] })), missing);
  });
});

describe('setting and removing one value', () => {
  const base = () => sealed(`${HEAD}  data:\n    a: x # first\n    b: y1\n    c: z\n  type: Opaque\n`);
  const keys = () => testKeys({ recipients: ['one', 'two'] });

  test('any bytes come back', () => {
    const text = base();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const file = readText(setEntry(readText(text), 0, 'b', bytes, keys()));
        assert.equal(openedBy('one', file, 0, 'hex').b, Buffer.from(bytes).toString('hex'));
      }),
      { numRuns: 30 },
    );
  });

  test('an edit changes only its own lines', () => {
    const text = base();
    const operation = fc.oneof(
      fc.record({ set: fc.constantFrom('a', 'b', 'c', 'new', '__proto__') }),
      fc.record({ unset: fc.constantFrom('a', 'b', 'c') }),
    );
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 6 }), (operations) => {
        let now = text;
        for (const operation of operations) {
          const was = now;
          const entry = 'set' in operation ? operation.set : operation.unset;
          if ('set' in operation) now = setEntry(readText(now), 0, entry, Buffer.from('v'), keys());
          else if (readText(now).manifests[0]?.entries.has(entry)) now = unsetEntry(readText(now), 0, entry);
          assert.deepEqual(outside(now, entry), outside(was, entry));
          assertComplete(now);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a new entry is put last, past comments, and gets a slot', () => {
    const text = setEntry(readText(base()), 0, 'd', Buffer.from('v'), keys());
    assert.match(short(text), / {4}c: CF\[…\]\n {4}d: CF\[…\]\n {2}type: Opaque\n/);
    assert.ok(short(text).endsWith('    # c\n    # d\n    "ID":\n      one: "STANZA"\n      two: "STANZA"\n'));
  });

  test('the last entry goes with its data key, the next one begins anew', () => {
    const empty = ['a', 'b', 'c'].reduce((text, entry) => unsetEntry(readText(text), 0, entry), base());
    assert.equal(empty, `${HEAD}  data: {}\n  type: Opaque\n`);
    const text = setEntry(readText(empty), 0, 'a', Buffer.from('v'), keys());
    assert.equal(short(text), `${HEAD}  data:\n    a: CF[…]\n  type: Opaque\n${KEYS}`);
  });

  test('flow collections and JSON gain and lose members', () => {
    const flow = sealed(`${HEAD}  data: {a: x, b: y1}\n`);
    const more = setEntry(readText(flow), 0, 'c', Buffer.from('v'), keys());
    assert.match(short(more), /data: \{a: "CF\[…\]", b: "CF\[…\]", c: "CF\[…\]"\}\n/);
    assert.match(short(unsetEntry(readText(more), 0, 'a')), /data: \{b: "CF\[…\]", c: "CF\[…\]"\}\n/);
    const json = JSON.stringify(
      {
        apiVersion: 'coffer.dev/v1',
        kind: 'EncryptedSecret',
        metadata: { name: 'db', namespace: 'shop' },
        spec: { recipients: ['one'], readers: [], data: {} },
      },
      null,
      2,
    );
    let now = setEntry(readText(json), 0, 'a', Buffer.from('v'), testKeys({ recipients: ['one'] }));
    now = setEntry(readText(now), 0, 'b', Buffer.from('v'), testKeys({ recipients: ['one'] }));
    assert.equal(now, JSON.stringify(JSON.parse(now), null, 2));
    const one = unsetEntry(readText(now), 0, 'a');
    assert.equal(one, JSON.stringify(JSON.parse(one), null, 2));
    assert.equal(readText(one).manifests[0]?.stanzas.size, 1);
  });

  const refused: [string, string, string][] = [
    ['', 'ENTRY_NAME', 'an empty name'],
    ['..', 'ENTRY_NAME', 'a parent directory'],
    ['..data', 'ENTRY_NAME', 'a name that kubelet uses'],
    ['a/b', 'ENTRY_NAME', 'a slash'],
    ['t', 'TEMPLATE_NAME_TAKEN', 'the name of a template'],
  ];
  for (const [entry, code, why] of refused) {
    test(`refuses ${why}`, () => {
      const text = `${HEAD}  data: {}\n  template:\n    data:\n      t: x\n`;
      assert.throws(() => setEntry(readText(text), 0, entry, Buffer.from('v'), keys()), { code });
    });
  }

  test('says which entries there are when one is not', () => {
    assert.throws(() => unsetEntry(readText(base()), 0, 'nope'), {
      code: 'ENTRY_UNKNOWN',
      advice: 'Use one of a, b, c.',
    });
  });
});

/** The lines that are neither the entry's value, nor stanzas, nor slot comments. */
function outside(text: string, entry: string): string[] {
  return text.split('\n').filter((line) => {
    if (line.startsWith(`    ${entry}:`) || line === '  keys:' || /^ {2}data:/.test(line)) return false;
    return !/^ {4}(?:# |"[-_A-Za-z0-9]{32}":$)/.test(line) && !/^ {6}(?:one|two): "/.test(line);
  });
}

/** Every data key that is there is named and has a stanza for everybody. */
function assertComplete(text: string): void {
  const manifest = readText(text).manifests[0];
  assert.ok(manifest);
  const named = new Set(
    [...manifest.entries.values()].map((entry) => (entry.kind === 'sealed' ? entry.dataKeyId : '')),
  );
  assert.deepEqual(new Set(manifest.stanzas.keys()), named);
  for (const stanzas of manifest.stanzas.values()) assert.deepEqual([...stanzas.keys()], ['one', 'two']);
}
