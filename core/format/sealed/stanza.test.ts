import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { publicKeyFromSeed } from '../../crypto/x-wing.ts';
import { keyIdOfSeed } from '../../keys/key-id.ts';
import type { Binding } from './binding.ts';
import { type DataKey, newDataKey } from './data-key.ts';
import { type OpeningKey, openStanza, parseStanza, type SealingKey, sealStanza } from './stanza.ts';

const BINDING: Binding = { scope: 'strict', namespace: 'payments', name: 'payments-db' };

let dataKey: DataKey;
let sealing: SealingKey;
let opening: OpeningKey;

before(async () => {
  await sodiumReady();
  dataKey = newDataKey();
  const seed = randomBytes(32);
  const key = { recipient: 'production', kid: keyIdOfSeed(seed) };
  sealing = { ...key, publicKey: publicKeyFromSeed(seed) };
  opening = { ...key, seed };
});

describe('a stanza', () => {
  test('opens to the data key for whom it was sealed', () => {
    assert.deepEqual(openStanza(sealStanza(dataKey, sealing, BINDING), opening, BINDING, dataKey.id), dataKey.key);
  });

  test('is another text at every sealing', () => {
    assert.notEqual(sealStanza(dataKey, sealing, BINDING), sealStanza(dataKey, sealing, BINDING));
  });

  test('is refused with any single bit changed', () => {
    const { kid, sealed } = parseStanza(sealStanza(dataKey, sealing, BINDING));
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const changed = Buffer.from(sealed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const text = `${kid}:${changed.toString('base64url')}`;
        assert.throws(() => openStanza(text, opening, BINDING, dataKey.id), { code: 'STANZA_REFUSED' });
      }),
    );
  });

  test('is refused with any character changed', () => {
    const text = sealStanza(dataKey, sealing, BINDING);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'aA0-_: \n'), (at, character) => {
        fc.pre(text[at] !== character);
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        assert.throws(() => openStanza(changed, opening, BINDING, dataKey.id));
      }),
    );
  });

  test('an error names recipient, key and data key, for the log', () => {
    const text = sealStanza(dataKey, sealing, BINDING);
    const data = { recipient: 'production', keyId: sealing.kid, dataKeyId: dataKey.id };
    const moved: Binding = { ...BINDING, namespace: 'billing' };
    assert.throws(() => openStanza(text, opening, moved, dataKey.id), { code: 'STANZA_REFUSED', data });
  });
});
