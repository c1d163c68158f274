import { SEALED_VALUE } from '../../../schemas/grammar.ts';
import { decodeBase64url, encodeBase64url } from '../../crypto/base64url.ts';
import { pae } from '../../crypto/pae.ts';
import { type Random, systemRandom } from '../../crypto/random.ts';
import { inSodium } from '../../crypto/sodium.ts';
import { Bug, CofferError } from '../../errors.ts';
import { type Binding, boundParts } from './binding.ts';
import { DATA_KEY_LENGTH, type DataKey } from './data-key.ts';

/**
 * A sealed value (docs/format.md, "Value"):
 *
 *     "CF[1:" data key id ":" b64u( nonce, 24 bytes ‖ ciphertext, 32k bytes ‖ tag, 16 bytes ) "]"
 *
 * XChaCha20-Poly1305, over the plaintext padded by ISO/IEC 7816-4 to a multiple of 32 bytes.
 */

const GRAMMAR = new RegExp(SEALED_VALUE);
const PREFIX = 'CF[1:';
const DATA_KEY_ID_LENGTH = 32;
const NONCE_LENGTH = 24;
const TAG_LENGTH = 16;
const BLOCK_LENGTH = 32;
const PADDING_MARK = 0x80;

export interface SealedValue {
  dataKeyId: string;
  nonce: Buffer;
  /** With the tag at its end. */
  ciphertext: Buffer;
}

/** Whether a text claims to be sealed, by coffer or by ejson. Such a text is never taken for plaintext. */
export function looksSealed(text: string): boolean {
  return text.startsWith('CF[') || text.startsWith('EJ[');
}

/** @param plaintext any bytes; the caller wipes them. */
export function sealValue(
  plaintext: Uint8Array,
  dataKey: DataKey,
  binding: Binding,
  entry: string,
  random: Random = systemRandom,
): string {
  const nonce = random(NONCE_LENGTH);
  const aad = valueAad(binding, entry);
  const paddedLength = (Math.floor(plaintext.length / BLOCK_LENGTH) + 1) * BLOCK_LENGTH;
  const ciphertextLength = paddedLength + TAG_LENGTH;
  const ciphertext = inSodium((sodium, memory) => {
    const padded = memory.room(paddedLength);
    const view = memory.view(padded, paddedLength);
    view.set(plaintext);
    view[plaintext.length] = PADDING_MARK;
    const sealed = memory.room(ciphertextLength);
    sodium._crypto_aead_xchacha20poly1305_ietf_encrypt(
      sealed,
      0,
      padded,
      paddedLength,
      0,
      memory.put(aad),
      aad.length,
      0,
      0,
      memory.put(nonce),
      memory.put(dataKey.key),
    );
    return memory.take(sealed, ciphertextLength);
  });
  return `${PREFIX}${dataKey.id}:${encodeBase64url(Buffer.concat([nonce, ciphertext]))}]`;
}

/**
 * @param dataKey 32 bytes, of the id that the text names.
 * @returns the plaintext, which the caller wipes.
 * @throws CofferError VALUE_MALFORMED, ENCODING_BASE64URL, VALUE_REFUSED, VALUE_PADDING
 */
export function openValue(text: string, dataKey: Uint8Array, binding: Binding, entry: string): Buffer {
  if (dataKey.length !== DATA_KEY_LENGTH) throw new Bug(`a data key is ${DATA_KEY_LENGTH} bytes`);
  const { nonce, ciphertext, dataKeyId } = parseSealedValue(text);
  const aad = valueAad(binding, entry);
  const paddedLength = ciphertext.length - TAG_LENGTH;
  return inSodium((sodium, memory) => {
    const padded = memory.room(paddedLength);
    const refused = sodium._crypto_aead_xchacha20poly1305_ietf_decrypt(
      padded,
      0,
      0,
      memory.put(ciphertext),
      ciphertext.length,
      0,
      memory.put(aad),
      aad.length,
      0,
      memory.put(nonce),
      memory.put(dataKey),
    );
    if (refused !== 0) {
      throw new CofferError(
        'VALUE_REFUSED',
        `the value of ${entry} does not open: it was sealed for another entry, name, namespace or scope, or was changed`,
        { advice: 'Undo the move, rename or change, or set the value again.', data: { entry, dataKeyId } },
      );
    }
    const length = plaintextLength(memory.view(padded, paddedLength));
    if (length === undefined) {
      throw new CofferError('VALUE_PADDING', `the value of ${entry} is not padded as the format says`, {
        advice: 'Its writer is at fault: set the value again with coffer.',
        data: { entry, dataKeyId },
      });
    }
    return memory.take(padded, length);
  });
}

/** @throws CofferError VALUE_MALFORMED, ENCODING_BASE64URL */
export function parseSealedValue(text: string): SealedValue {
  if (!GRAMMAR.test(text)) throw malformed('this is not a sealed value (CF[1:…])');
  const idEnd = PREFIX.length + DATA_KEY_ID_LENGTH;
  const sealed = decodeBase64url(text.slice(idEnd + 1, -1));
  const blocks = (sealed.length - NONCE_LENGTH - TAG_LENGTH) / BLOCK_LENGTH;
  if (!Number.isInteger(blocks) || blocks < 1) throw malformed('this sealed value is not a whole number of blocks');
  return {
    dataKeyId: text.slice(PREFIX.length, idEnd),
    nonce: sealed.subarray(0, NONCE_LENGTH),
    ciphertext: sealed.subarray(NONCE_LENGTH),
  };
}

/** Undefined when the padding is not ISO/IEC 7816-4: all trailing zeros, then exactly one mark. */
function plaintextLength(padded: Uint8Array): number | undefined {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end -= 1;
  return end >= 0 && padded[end] === PADDING_MARK ? end : undefined;
}

function valueAad(binding: Binding, entry: string): Buffer {
  return pae('coffer/v1/value', ...boundParts(binding), entry);
}

function malformed(message: string): CofferError {
  return new CofferError('VALUE_MALFORMED', message, {
    advice: 'Restore the line from git, or set the value again with `coffer set`.',
  });
}
