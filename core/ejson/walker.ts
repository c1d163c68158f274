/**
 * Finds the strings of a JSON text without building a tree, so that what is not a string to seal keeps every byte.
 * Strict RFC 8259, with the tool's one liberty: where `multiline` is allowed, a string may run over line ends.
 */

import { isUtf8 } from 'node:buffer';
import { CofferError } from '../errors.ts';
import { positionOf } from './position.ts';

/** A string of the text, quotes included: bytes from `start` up to `end`. */
export interface StringToken {
  role: 'key' | 'value';
  start: number;
  end: number;
  /** Holds a backslash or a line end, so that its bytes are not yet its content. */
  escaped: boolean;
  multiline: boolean;
  /** Containers around it: 1 for the keys and values of the document's own object. */
  depth: number;
  /** The key that comes last before it in the text begins with `_`: what the ejson tool goes by. */
  afterUnderscore: boolean;
  /** The key that it stands under, through any arrays, begins with `_`: what a reader sees. */
  underUnderscore: boolean;
}

interface Container {
  isArray: boolean;
  underUnderscore: boolean;
}

/** As deep as the tool's JSON library goes. */
const MAX_DEPTH = 10_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const UNDERSCORE = 0x5f;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;

/** Every string of the one JSON object that `bytes` are, in order. Throws EJSON_NOT_UTF8 or EJSON_SYNTAX. */
export function walk(bytes: Buffer, file: string, options: { multiline: boolean }): StringToken[] {
  if (!isUtf8(bytes)) {
    throw new CofferError('EJSON_NOT_UTF8', 'the file is not valid UTF-8', {
      advice: 'Save it as UTF-8; for binary values write their base64.',
      data: { file },
    });
  }
  return new Walker(bytes, file, options.multiline).walk();
}

class Walker {
  readonly #bytes: Buffer;
  readonly #file: string;
  readonly #multiline: boolean;
  readonly #containers: Container[] = [];
  readonly #tokens: StringToken[] = [];
  #at = 0;
  #afterUnderscore = false;

  constructor(bytes: Buffer, file: string, multiline: boolean) {
    this.#bytes = bytes;
    this.#file = file;
    this.#multiline = multiline;
  }

  walk(): StringToken[] {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== 0x7b) this.#fail('an ejson file is one JSON object and begins with "{"');
    do {
      this.#value();
    } while (this.#moreValues());
    this.#skipSpace();
    if (this.#at < this.#bytes.length) this.#fail('something follows the end of the JSON object');
    return this.#tokens;
  }

  /** Reads one scalar, or a container's beginning up to where its first value stands. */
  #value(): void {
    let opened = true;
    while (opened) {
      opened = false;
      this.#skipSpace();
      const byte = this.#bytes[this.#at];
      if (byte === QUOTE) this.#string('value');
      else if (byte === 0x7b || byte === 0x5b) opened = this.#open(byte === 0x5b);
      else if (byte === 0x74) this.#word('true');
      else if (byte === 0x66) this.#word('false');
      else if (byte === 0x6e) this.#word('null');
      else this.#number();
    }
  }

  /** True if a value is to be read next, false if the container was empty and is closed again. */
  #open(isArray: boolean): boolean {
    if (this.#containers.length === MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
    const underUnderscore = this.#containers.at(-1)?.underUnderscore ?? false;
    this.#containers.push({ isArray, underUnderscore: isArray && underUnderscore });
    this.#at += 1;
    this.#skipSpace();
    if (this.#bytes[this.#at] === (isArray ? 0x5d : 0x7d)) {
      this.#at += 1;
      this.#containers.pop();
      return false;
    }
    if (!isArray) this.#key();
    return true;
  }

  /** After a value: closes what ends here; true if a comma announces another value, false at the end of the document. */
  #moreValues(): boolean {
    for (;;) {
      const container = this.#containers.at(-1);
      if (container === undefined) return false;
      this.#skipSpace();
      const byte = this.#bytes[this.#at];
      if (byte === 0x2c) {
        this.#at += 1;
        if (!container.isArray) this.#key();
        return true;
      }
      if (byte !== (container.isArray ? 0x5d : 0x7d)) {
        this.#fail(`expected "," or "${container.isArray ? ']' : '}'}" after a value`);
      }
      this.#at += 1;
      this.#containers.pop();
    }
  }

  #key(): void {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== QUOTE) this.#fail('expected a key in double quotes');
    this.#afterUnderscore = this.#bytes[this.#at + 1] === UNDERSCORE;
    const container = this.#containers.at(-1);
    if (container !== undefined) container.underUnderscore = this.#afterUnderscore;
    this.#string('key');
    this.#skipSpace();
    if (this.#bytes[this.#at] !== 0x3a) this.#fail('expected ":" after a key');
    this.#at += 1;
  }

  #string(role: 'key' | 'value'): void {
    const bytes = this.#bytes;
    const start = this.#at;
    let escaped = false;
    let multiline = false;
    let at = start + 1;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[at]) {
      if (byte === BACKSLASH) {
        escaped = true;
        at += this.#escapeLength(at);
      } else if (byte !== undefined && byte >= 0x20) {
        at += 1;
      } else if (this.#multiline && (byte === LINE_FEED || byte === CARRIAGE_RETURN)) {
        multiline = true;
        at += 1;
      } else {
        this.#at = at;
        this.#fail(byte === undefined ? 'a string has no end' : 'a control character in a string has to be escaped');
      }
    }
    this.#at = at + 1;
    this.#tokens.push({
      role,
      start,
      end: this.#at,
      escaped: escaped || multiline,
      multiline,
      depth: this.#containers.length,
      afterUnderscore: this.#afterUnderscore,
      underUnderscore: this.#containers.at(-1)?.underUnderscore ?? false,
    });
  }

  #escapeLength(at: number): number {
    const letter = this.#bytes[at + 1];
    if (letter === 0x75) {
      if (/^[0-9a-fA-F]{4}$/.test(this.#bytes.toString('latin1', at + 2, at + 6))) return 6;
    } else if (letter !== undefined && letter !== LINE_FEED && '"\\/bfnrt'.includes(String.fromCharCode(letter))) {
      return 2;
    }
    this.#at = at;
    return this.#fail('not an escape that JSON knows');
  }

  #number(): void {
    const start = this.#at;
    while (isNumberByte(this.#bytes[this.#at])) this.#at += 1;
    const text = this.#bytes.toString('latin1', start, this.#at);
    if (!NUMBER.test(text)) {
      this.#at = start;
      this.#fail('expected a JSON value');
    }
    if (!Number.isFinite(Number(text)))
      this.#fail('a number is out of range, and the ejson tool would not read the file');
  }

  #word(word: string): void {
    if (this.#bytes.toString('latin1', this.#at, this.#at + word.length) !== word) this.#fail('expected a JSON value');
    this.#at += word.length;
  }

  #skipSpace(): void {
    for (let byte = this.#bytes[this.#at]; isSpace(byte); byte = this.#bytes[this.#at]) this.#at += 1;
  }

  #fail(message: string): never {
    throw new CofferError('EJSON_SYNTAX', message, {
      advice: 'Correct the JSON; nothing in the file was changed.',
      data: { file: this.#file, ...positionOf(this.#bytes, this.#at) },
    });
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === 0x09;
}

function isNumberByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 0x30 && byte <= 0x39) || '+-.eE'.includes(String.fromCharCode(byte));
}
