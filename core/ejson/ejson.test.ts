import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { CofferError } from '../errors.ts';
import { decryptEjson } from './decrypter.ts';
import { readEjson } from './document.ts';
import { encryptEjson } from './encrypter.ts';
import { parsePrivateKey } from './key-directory.ts';
import { Keypair } from './keypair.ts';
import { positionOf } from './position.ts';
import { SecretBytes } from './secret-bytes.ts';

const keypair = Keypair.generate();

function fileOf(value: string): Buffer {
  return Buffer.from(`{"_public_key":"${keypair.publicText}","a":${JSON.stringify(value)}}\n`);
}

function opened(text: string): string {
  return decryptEjson(readEjson(Buffer.from(text), 'f', { multiline: false }), keypair).toString();
}

function refusedWith(code: string, place?: { line: number; column: number }): (error: unknown) => boolean {
  return (error) =>
    error instanceof CofferError &&
    error.code === code &&
    (place === undefined || (error.data.line === place.line && error.data.column === place.column));
}

describe('an ejson file', () => {
  test('opens to what was sealed, for any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 5000 }).filter((text) => text.isWellFormed()),
        (value) => {
          assert.equal(JSON.parse(opened(encryptEjson(fileOf(value), 'f').text)).a, value);
        },
      ),
    );
  });

  test('stays as it is when it is sealed again', () => {
    const { text, sealed } = encryptEjson(fileOf('secret'), 'f');
    assert.equal(sealed, 1);
    assert.deepEqual(encryptEjson(Buffer.from(text), 'f'), { text, sealed: 0 });
  });

  test('with any bit of a sealed value changed is refused', () => {
    const { text } = encryptEjson(fileOf('secret'), 'f');
    const [, head = '', ...parts] = /^(.*EJ\[1:)(.{44}):(.{32}):(.*)(\]"\}\n)$/s.exec(text) ?? [];
    const [key = '', nonce = '', box = '', tail = ''] = parts;
    for (const [index, part] of [key, nonce, box].entries()) {
      const bytes = Buffer.from(part, 'base64');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        // X25519 ignores the top bit of a public key (RFC 7748, section 5): that change changes nothing.
        if (index === 0 && bit === 255) continue;
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const spelled = [key, nonce, box].with(index, changed.toString('base64')).join(':');
        assert.throws(
          () => opened(head + spelled + tail),
          refusedWith('EJSON_BOX_REFUSED'),
          `part ${index}, bit ${bit}`,
        );
      }
    }
  });

  test('cannot be opened with another key, and the advice says that it is another', () => {
    const { text } = encryptEjson(fileOf('secret'), 'f');
    const document = readEjson(Buffer.from(text), 'f', { multiline: false });
    assert.throws(
      () => decryptEjson(document, Keypair.generate()),
      (error) =>
        refusedWith('EJSON_BOX_REFUSED')(error) && /not the one of the file/.test((error as CofferError).advice),
    );
  });

  test('with plaintext in it is not taken for opened', () => {
    assert.throws(() => opened(fileOf('secret').toString()), refusedWith('EJSON_PLAINTEXT', { line: 1, column: 87 }));
  });

  test('is sealed with one pair of keys for the run, and a nonce for each value', () => {
    const text = `{"_public_key":"${keypair.publicText}","a":"1","b":"1"}`;
    const boxes = [...encryptEjson(Buffer.from(text), 'f').text.matchAll(/EJ\[1:(.{44}):(.{32}):/g)];
    assert.equal(new Set(boxes.map(([, key]) => key)).size, 1);
    assert.equal(new Set(boxes.map(([, , nonce]) => nonce)).size, 2);
  });

  test('is refused with the line and column of what is wrong, in characters', () => {
    const text = `{"_public_key": "${keypair.publicText}",\n  "é😀": oops}`;
    assert.throws(() => encryptEjson(Buffer.from(text), 'f'), refusedWith('EJSON_SYNTAX', { line: 2, column: 10 }));
  });

  test('keeps the caller’s plaintext out of its errors', () => {
    for (const text of ['"hunter2\\x"', 'hunter2', '"hunter2', '["hunter2"}']) {
      const bytes = Buffer.from(`{"_public_key":"${keypair.publicText}","a":${text}}`);
      assert.throws(
        () => encryptEjson(bytes, 'f'),
        (error) => error instanceof CofferError && !`${error.stack}${error.advice}`.includes('hunter2'),
      );
    }
  });
});

describe('a private key', () => {
  test('is read with white space around it and in either case', () => {
    const text = keypair.privateText().toString();
    for (const spelled of [text, `${text}\n`, `\r\n ${text.toUpperCase()}\t\n`]) {
      assert.deepEqual(parsePrivateKey(Buffer.from(spelled)).publicKey, keypair.publicKey);
    }
  });

  for (const text of [
    '',
    'abc',
    'g'.repeat(64),
    `${'a'.repeat(64)} a`,
    'a'.repeat(65),
    `${'a'.repeat(31)} ${'a'.repeat(32)}`,
  ]) {
    test(`is refused if it is not 64 hexadecimal digits: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePrivateKey(Buffer.from(text)), refusedWith('EJSON_KEY_INVALID'));
    });
  }

  test('is of no use after wipe', () => {
    const wiped = Keypair.generate();
    const other = Keypair.generate();
    const before = wiped.sharedKey(other.publicKey);
    wiped.wipe();
    assert.notDeepEqual(wiped.sharedKey(other.publicKey), before);
  });
});

test('bytes that grow leave nothing behind where they were', () => {
  const secret = new SecretBytes(0);
  secret.appendAscii('first');
  const before = secret.bytes();
  secret.append(Buffer.alloc(1000, 1));
  assert.ok(before.every((byte) => byte === 0));
  const after = secret.bytes();
  secret.wipe();
  assert.ok(after.every((byte) => byte === 0));
});

test('a position counts lines and UTF-16 units from 1', () => {
  const bytes = Buffer.from('a\n😀b\n');
  assert.deepEqual(
    [0, 1, 2, 6, 7, 8].map((offset) => positionOf(bytes, offset)),
    [
      { line: 1, column: 1 },
      { line: 1, column: 2 },
      { line: 2, column: 1 },
      { line: 2, column: 3 },
      { line: 2, column: 4 },
      { line: 3, column: 1 },
    ],
  );
});
