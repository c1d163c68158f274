/** Seals the strings of an ejson document with a key pair made for this run, whose private half nobody keeps. */

import { type Random, systemRandom } from '../crypto/random.ts';
import { CofferError } from '../errors.ts';
import { BoxedMessage, formatBoxedMessage } from './boxed-message.ts';
import { type EjsonDocument, eachString, placeOfToken, readEjson } from './document.ts';
import { unquote } from './json-string.ts';
import { Keypair } from './keypair.ts';
import { SecretBytes } from './secret-bytes.ts';
import { NONCE_LENGTH, Secretbox } from './secretbox.ts';
import type { StringToken } from './walker.ts';

/** Not to be used after `wipe`. */
export class Encrypter {
  readonly #sharedKey: Buffer;
  readonly #publicText: string;
  readonly #random: Random;
  readonly #secretbox = new Secretbox();

  constructor(peerPublic: Uint8Array, random: Random = systemRandom) {
    const keypair = Keypair.generate(random);
    this.#publicText = keypair.publicKey.toString('base64');
    this.#random = random;
    try {
      this.#sharedKey = keypair.sharedKey(peerPublic);
    } finally {
      keypair.wipe();
    }
  }

  seal(plaintext: Uint8Array): string {
    const nonce = this.#random(NONCE_LENGTH);
    return formatBoxedMessage(this.#publicText, nonce, this.#secretbox.seal(plaintext, nonce, this.#sharedKey));
  }

  wipe(): void {
    this.#sharedKey.fill(0);
    this.#secretbox.wipe();
  }
}

/**
 * The text of an ejson file with every string sealed that is not yet, and no other byte changed but line ends inside
 * strings, which become their escapes. `bytes` are left as they are: they hold plaintext, and the caller wipes them.
 * Throws EJSON_* errors; nothing that the tool would leave readable by mistake gets through (docs/ejson.md).
 */
export function encryptEjson(
  bytes: Buffer,
  file: string,
  random: Random = systemRandom,
): { text: string; sealed: number } {
  const document = readEjson(bytes, file, { multiline: true });
  const encrypter = new Encrypter(document.publicKey, random);
  const output = new SecretBytes(2 * bytes.length);
  let sealed = 0;
  let copied = 0;
  try {
    eachString(document, (token) => {
      const box = isToBeSealed(document, token) ? sealToken(document, token, encrypter) : undefined;
      if (box === undefined && !token.multiline) return;
      output.append(bytes, copied, token.start);
      if (box === undefined) appendWithLineEndsEscaped(output, bytes.subarray(token.start, token.end));
      else output.appendAscii(`"${box}"`);
      if (box !== undefined) sealed += 1;
      copied = token.end;
    });
    output.append(bytes, copied);
    return { text: output.bytes().toString('utf8'), sealed };
  } finally {
    encrypter.wipe();
    output.wipe();
  }
}

function isToBeSealed(document: EjsonDocument, token: StringToken): boolean {
  if (token.role === 'key') return false;
  if (token.afterUnderscore && !token.underUnderscore) {
    throw new CofferError(
      'EJSON_UNDERSCORE_LEAK',
      'the ejson tool would leave this string in plaintext: it goes by the last key before it, which begins with "_"',
      {
        advice: 'Move the string in front of the objects in its array, or rename that key.',
        data: placeOfToken(document, token),
      },
    );
  }
  return !token.afterUnderscore;
}

/** Undefined where the value is sealed already. */
function sealToken(document: EjsonDocument, token: StringToken, encrypter: Encrypter): string | undefined {
  const content = token.escaped
    ? unquote(document.bytes, token.start, token.end)
    : document.bytes.subarray(token.start + 1, token.end - 1);
  if (content === undefined) {
    throw new CofferError('EJSON_SURROGATE', 'a string escapes half a character (an unpaired surrogate)', {
      advice: 'Write both halves of the pair; for binary values write their base64.',
      data: placeOfToken(document, token),
    });
  }
  try {
    const state = new BoxedMessage().read(content);
    if (state === 'malformed') {
      throw new CofferError('EJSON_BOX_MALFORMED', 'this looks like a sealed value, but nobody could open it', {
        advice: 'If it is a damaged box, restore it from git; if it is plaintext, let it not begin with EJ[.',
        data: placeOfToken(document, token),
      });
    }
    return state === 'plaintext' ? encrypter.seal(content) : undefined;
  } finally {
    if (token.escaped) content.fill(0);
  }
}

function appendWithLineEndsEscaped(output: SecretBytes, token: Buffer): void {
  for (const byte of token) {
    if (byte === 0x0a) output.appendAscii('\\n');
    else if (byte === 0x0d) output.appendAscii('\\r');
    else output.appendByte(byte);
  }
}
