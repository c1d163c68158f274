import { KEY_ID, STANZA } from '../../../schemas/grammar.ts';
import { decodeBase64url, encodeBase64url } from '../../crypto/base64url.ts';
import { hpkeOpen, hpkeSeal } from '../../crypto/hpke.ts';
import { pae } from '../../crypto/pae.ts';
import { type Random, systemRandom } from '../../crypto/random.ts';
import { Bug, CofferError } from '../../errors.ts';
import { type Binding, boundParts } from './binding.ts';
import { type DataKey, matchesId } from './data-key.ts';

/**
 * A data key, sealed to one recipient (docs/format.md, "Stanza"):
 *
 *     KID ":" b64u( HPKE enc, 1,120 bytes ‖ ciphertext of the data key, 48 bytes )
 */

const GRAMMAR = new RegExp(STANZA);
const KEY_ID_GRAMMAR = new RegExp(KEY_ID);
const KEY_ID_LENGTH = 32;

/** A public key that data keys are sealed to, of a recipient whose identity the writer trusts. */
export interface SealingKey {
  recipient: string;
  /** 32 hex digits. */
  kid: string;
  /** 1,216 bytes. */
  publicKey: Uint8Array;
}

/** The secret half. Recipient and kid come from the opener's own configuration, never from the manifest. */
export interface OpeningKey {
  recipient: string;
  kid: string;
  /** 32 bytes. */
  seed: Uint8Array;
}

/** @throws CofferError HPKE_KEY_LENGTH, HPKE_KEY_NOT_CANONICAL, HPKE_LOW_ORDER */
export function sealStanza(dataKey: DataKey, to: SealingKey, binding: Binding, random: Random = systemRandom): string {
  if (!KEY_ID_GRAMMAR.test(to.kid)) throw new Bug('a kid is 32 hex digits');
  const sealed = hpkeSeal(to.publicKey, stanzaInfo(to, binding, dataKey.id), dataKey.key, random);
  return `${to.kid}:${encodeBase64url(sealed)}`;
}

/**
 * @returns the data key, 32 bytes, which the caller wipes.
 * @throws CofferError STANZA_MALFORMED, STANZA_OTHER_KEY, STANZA_REFUSED, STANZA_WRONG_DATA_KEY, HPKE_LOW_ORDER
 */
export function openStanza(text: string, as: OpeningKey, binding: Binding, dataKeyId: string): Buffer {
  const { kid, sealed } = parseStanza(text);
  if (kid !== as.kid) {
    throw new CofferError('STANZA_OTHER_KEY', 'this stanza is sealed to another key', {
      advice: 'Find the secret key whose id the stanza begins with.',
      data: { recipient: as.recipient, keyId: kid, dataKeyId },
    });
  }
  const dataKey = openSealed(sealed, as, binding, dataKeyId);
  if (matchesId(dataKey, dataKeyId)) return dataKey;
  dataKey.fill(0);
  throw new CofferError('STANZA_WRONG_DATA_KEY', 'the stanza holds another data key than the one it stands under', {
    advice: 'Whoever sealed it could show recipients different values: find out who committed it, and seal again.',
    data: { recipient: as.recipient, keyId: kid, dataKeyId },
  });
}

function openSealed(sealed: Uint8Array, as: OpeningKey, binding: Binding, dataKeyId: string): Buffer {
  try {
    return hpkeOpen(as.seed, stanzaInfo(as, binding, dataKeyId), sealed);
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    const data = { recipient: as.recipient, keyId: as.kid, dataKeyId };
    if (error.code !== 'HPKE_REFUSED') throw error.at(data);
    throw new CofferError(
      'STANZA_REFUSED',
      'the stanza does not open: it was made for another recipient, namespace, name, scope or data key, or was changed',
      {
        advice:
          'Undo a rename of the recipient, namespace, name or scope, or have somebody who can open the former version rewrap it.',
        data,
        cause: error,
      },
    );
  }
}

/** @throws CofferError STANZA_MALFORMED, ENCODING_BASE64URL */
export function parseStanza(text: string): { kid: string; sealed: Buffer } {
  if (!GRAMMAR.test(text)) {
    throw new CofferError('STANZA_MALFORMED', 'this is not a stanza (KID:sealed data key)', {
      advice: 'Restore the line from git; coffer alone writes stanzas.',
    });
  }
  return { kid: text.slice(0, KEY_ID_LENGTH), sealed: decodeBase64url(text.slice(KEY_ID_LENGTH + 1)) };
}

function stanzaInfo(key: { recipient: string; kid: string }, binding: Binding, dataKeyId: string): Buffer {
  return pae('coffer/v1/stanza', key.recipient, ...boundParts(binding), dataKeyId, key.kid);
}
