import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { base64Bytes, base64urlBytes, decodeBase64urlBytes } from './base64-bytes.ts';
import { decodeBase64url, encodeBase64url } from './base64url.ts';

/** Texts near to base64url: of its alphabet, with some of what decoders are careless about. */
const nearTexts = fc.string({ unit: fc.constantFrom(...'AQgwZaz09-_=+/ \n\r'), maxLength: 12 });

describe('base64url', () => {
  test('decoding what was encoded is the identity, for strings and for bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.deepEqual(decodeBase64url(encodeBase64url(bytes)), Buffer.from(bytes));
        assert.deepEqual(decodeBase64urlBytes(base64urlBytes(bytes)), Buffer.from(bytes));
      }),
    );
  });

  test('a text is refused, or it is the one text of its bytes', () => {
    fc.assert(
      fc.property(nearTexts, (text) => {
        for (const decode of [decodeBase64url, (dirty: string) => decodeBase64urlBytes(Buffer.from(dirty))]) {
          try {
            assert.equal(encodeBase64url(decode(text)), text);
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'ENCODING_BASE64URL');
          }
        }
      }),
    );
  });

  test('both decoders take and refuse the same texts', () => {
    const takes = (decode: () => Buffer) => {
      try {
        return decode().toString('hex');
      } catch {
        return undefined;
      }
    };
    fc.assert(
      fc.property(nearTexts, (text) => {
        assert.equal(
          takes(() => decodeBase64url(text)),
          takes(() => decodeBase64urlBytes(Buffer.from(text))),
        );
      }),
    );
  });

  test('bytes are encoded as Node encodes them to strings', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.equal(base64Bytes(bytes).toString(), Buffer.from(bytes).toString('base64'));
        assert.equal(base64urlBytes(bytes).toString(), Buffer.from(bytes).toString('base64url'));
      }),
    );
  });
});
