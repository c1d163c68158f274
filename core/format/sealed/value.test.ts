import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import type { Binding } from './binding.ts';
import { type DataKey, newDataKey } from './data-key.ts';
import { looksSealed, openValue, parseSealedValue, sealValue } from './value.ts';

const STRICT: Binding = { scope: 'strict', namespace: 'payments', name: 'payments-db' };
const bindings = fc.record({
  scope: fc.constantFrom<Binding['scope']>('strict', 'namespace', 'cluster'),
  namespace: fc.constantFrom('payments', 'billing'),
  name: fc.constantFrom('payments-db', 'orders-db'),
});
const entries = fc.string({ unit: fc.constantFrom(...'-._aZ09'), minLength: 1, maxLength: 253 });

let dataKey: DataKey;

before(async () => {
  await sodiumReady();
  dataKey = newDataKey();
});

describe('a sealed value', () => {
  test('opens to the same bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bindings, entries, (plaintext, binding, entry) => {
        const text = sealValue(plaintext, dataKey, binding, entry);
        assert.deepEqual(openValue(text, dataKey.key, binding, entry), Buffer.from(plaintext));
      }),
    );
  });

  test('opens to the same bytes when they are a megabyte', () => {
    const plaintext = randomBytes(1024 * 1024);
    assert.deepEqual(openValue(sealValue(plaintext, dataKey, STRICT, 'e'), dataKey.key, STRICT, 'e'), plaintext);
  });

  test('is refused with any single bit changed', () => {
    const text = sealValue(Buffer.from('correct horse'), dataKey, STRICT, 'password');
    const { nonce, ciphertext } = parseSealedValue(text);
    const bytes = Buffer.concat([nonce, ciphertext]);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const changedText = `CF[1:${dataKey.id}:${changed.toString('base64url')}]`;
      assert.throws(() => openValue(changedText, dataKey.key, STRICT, 'password'), { code: 'VALUE_REFUSED' });
    }
  });

  test('is refused with any character changed, except in the id, by which its key is chosen', () => {
    const text = sealValue(Buffer.from('correct horse'), dataKey, STRICT, 'password');
    const idEnd = 'CF[1:'.length + 32;
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'AB09-_[]: \n'), (at, character) => {
        fc.pre(text[at] !== character && !(at >= 5 && at < idEnd));
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        assert.throws(() => openValue(changed, dataKey.key, STRICT, 'password'));
      }),
    );
  });

  test('opens only where it was sealed', () => {
    fc.assert(
      fc.property(bindings, bindings, (from, to) => {
        const text = sealValue(Buffer.from('x'), dataKey, from, 'entry');
        const bound = { strict: ['namespace', 'name'], namespace: ['namespace'], cluster: [] } as const;
        const same = from.scope === to.scope && bound[from.scope].every((part) => from[part] === to[part]);
        if (same) assert.equal(openValue(text, dataKey.key, to, 'entry').toString(), 'x');
        else assert.throws(() => openValue(text, dataKey.key, to, 'entry'), { code: 'VALUE_REFUSED' });
      }),
    );
  });

  test('is another text at every sealing', () => {
    const seal = () => sealValue(Buffer.from('x'), dataKey, STRICT, 'entry');
    assert.notEqual(seal(), seal());
  });

  test('tells the length of the plaintext only to the block', () => {
    const length = (size: number) => sealValue(Buffer.alloc(size, 1), dataKey, STRICT, 'e').length;
    assert.equal(length(0), length(31));
    assert.ok(length(31) < length(32));
  });

  test('an error names the entry and no plaintext', () => {
    const text = sealValue(Buffer.from('canary-plaintext'), dataKey, STRICT, 'password');
    assert.throws(
      () => openValue(text, dataKey.key, STRICT, 'username'),
      (error: Error & { data: object }) => {
        assert.deepEqual(error.data, { entry: 'username', dataKeyId: dataKey.id });
        assert.doesNotMatch(JSON.stringify([error.message, error.data]), /canary/);
        return true;
      },
    );
  });

  test('text that claims to be sealed is known by its beginning', () => {
    for (const text of ['CF[', 'CF[2:x]', 'EJ[1:']) assert.ok(looksSealed(text));
    for (const text of ['', 'cf[1:', 'C', ' CF[', 'F[']) assert.equal(looksSealed(text), false);
  });
});
