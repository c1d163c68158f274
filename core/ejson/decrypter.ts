/** Opens the strings of an ejson document. */

import { isUtf8 } from 'node:buffer';
import { CofferError } from '../errors.ts';
import { BoxedMessage } from './boxed-message.ts';
import { type EjsonDocument, eachString, placeOfToken } from './document.ts';
import { appendQuoted, unquote } from './json-string.ts';
import type { Keypair } from './keypair.ts';
import { SecretBytes } from './secret-bytes.ts';
import { Secretbox } from './secretbox.ts';
import type { StringToken } from './walker.ts';

/** Computes a shared key once for each encrypter, that is for each run that sealed values. Not to be used after `wipe`. */
export class Decrypter {
  readonly #keypair: Keypair;
  readonly #secretbox = new Secretbox();
  readonly #sharedKeys = new Map<string, Buffer>();
  #lastPublic: Buffer = Buffer.alloc(0);
  #lastShared: Buffer = Buffer.alloc(0);

  constructor(keypair: Keypair) {
    this.#keypair = keypair;
  }

  /** Valid until the next call. Undefined if the box was changed or made for another key. */
  open(message: BoxedMessage): Uint8Array | undefined {
    const sharedKey = this.#sharedKeyWith(message.encrypterPublic);
    return this.#secretbox.open(message.box, message.nonce, sharedKey);
  }

  wipe(): void {
    for (const key of this.#sharedKeys.values()) key.fill(0);
    this.#secretbox.wipe();
  }

  #sharedKeyWith(encrypterPublic: Buffer): Buffer {
    if (this.#lastPublic.equals(encrypterPublic)) return this.#lastShared;
    const name = encrypterPublic.toString('latin1');
    const sharedKey = this.#sharedKeys.get(name) ?? this.#keypair.sharedKey(encrypterPublic);
    this.#sharedKeys.set(name, sharedKey);
    this.#lastPublic = Buffer.from(encrypterPublic);
    this.#lastShared = sharedKey;
    return sharedKey;
  }
}

/**
 * The document's bytes with every sealed string in plaintext, spelled as the tool spells it. The caller wipes what it
 * gets. Throws EJSON_PLAINTEXT, EJSON_BOX_MALFORMED, EJSON_BOX_REFUSED or EJSON_VALUE_NOT_TEXT.
 */
export function decryptEjson(document: EjsonDocument, keypair: Keypair): Buffer {
  const decrypter = new Decrypter(keypair);
  const output = new SecretBytes(document.bytes.length);
  const message = new BoxedMessage();
  let copied = 0;
  try {
    eachString(document, (token) => {
      if (!readsBoxToOpen(message, document, token)) return;
      output.append(document.bytes, copied, token.start);
      const plaintext = decrypter.open(message);
      if (plaintext === undefined) throw refusedBox(document, token, keypair);
      if (!isUtf8(plaintext)) {
        throw new CofferError(
          'EJSON_VALUE_NOT_TEXT',
          'a value was opened but is not UTF-8, so no JSON string can hold it',
          {
            advice: 'Seal its base64 instead.',
            data: placeOfToken(document, token),
          },
        );
      }
      appendQuoted(output, plaintext);
      copied = token.end;
    });
    output.append(document.bytes, copied);
    return output.bytes();
  } catch (error) {
    output.wipe();
    throw error;
  } finally {
    decrypter.wipe();
  }
}

/**
 * False where the string stays as it is. One that the tool leaves in plaintext by mistake (docs/ejson.md) is opened
 * if it is sealed after all, and else stays, so that files that the tool wrote can still be read.
 */
function readsBoxToOpen(message: BoxedMessage, document: EjsonDocument, token: StringToken): boolean {
  if (token.role === 'key' || (token.afterUnderscore && token.underUnderscore)) return false;
  const state = readToken(message, document, token);
  if (state === 'malformed') {
    throw new CofferError('EJSON_BOX_MALFORMED', 'a sealed value is damaged', {
      advice: 'Restore it from git.',
      data: placeOfToken(document, token),
    });
  }
  if (state === 'plaintext' && !token.afterUnderscore) {
    throw new CofferError('EJSON_PLAINTEXT', 'a value is not sealed', {
      advice: 'Seal the file with `coffer ejson encrypt` and change the value, since it was in plaintext.',
      data: placeOfToken(document, token),
    });
  }
  return state === 'boxed';
}

function readToken(
  message: BoxedMessage,
  document: EjsonDocument,
  token: StringToken,
): ReturnType<BoxedMessage['read']> {
  if (!token.escaped) return message.read(document.bytes, token.start + 1, token.end - 1);
  const content = unquote(document.bytes, token.start, token.end);
  return content === undefined ? 'plaintext' : message.read(content);
}

function refusedBox(document: EjsonDocument, token: StringToken, keypair: Keypair): CofferError {
  const isRightKey = keypair.publicKey.equals(document.publicKey);
  return new CofferError('EJSON_BOX_REFUSED', 'a sealed value cannot be opened with this private key', {
    advice: isRightKey
      ? 'The value was changed or was sealed to an older `_public_key`: restore it from git, or set it again.'
      : "The private key is not the one of the file's `_public_key`: use the one of that name.",
    data: placeOfToken(document, token),
  });
}
