/**
 * Finds the strings of a JSON text without building a tree, so that what is not a string to seal keeps every byte, and
 * without a trace of its own in memory, so that a large file costs no garbage collection. Strict RFC 8259, with the
 * tool's one liberty: where `multiline` is allowed, a string may run over line ends.
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

/** What has to stand next. */
type Expected = 'document' | 'value' | 'key or end' | 'key' | 'colon' | 'more or end' | 'nothing';

/** Goes through the strings of one JSON object in their order. Its errors are EJSON_NOT_UTF8 and EJSON_SYNTAX. */
export class Walker {
  readonly #bytes: Buffer;
  readonly #file: string;
  readonly #multiline: boolean;
  readonly #containers: Container[] = [];
  readonly #token: StringToken = {
    role: 'key',
    start: 0,
    end: 0,
    escaped: false,
    multiline: false,
    depth: 0,
    afterUnderscore: false,
    underUnderscore: false,
  };
  #at = 0;
  #expected: Expected = 'document';
  #afterUnderscore = false;

  constructor(bytes: Buffer, file: string, options: { multiline: boolean }) {
    if (!isUtf8(bytes)) {
      throw new CofferError('EJSON_NOT_UTF8', 'the file is not valid UTF-8', {
        advice: 'Save it as UTF-8; for binary values write their base64.',
        data: { file },
      });
    }
    this.#bytes = bytes;
    this.#file = file;
    this.#multiline = options.multiline;
  }

  /**
   * The next string, key or value: one object, which the next call changes. Undefined at the end of the document, which
   * then is valid from its first byte to its last.
   */
  next(): Readonly<StringToken> | undefined {
    for (;;) {
      this.#skipSpace();
      const byte = this.#bytes[this.#at];
      switch (this.#expected) {
        case 'document':
          if (byte !== 0x7b) this.#fail('an ejson file is one JSON object and begins with "{"');
          this.#expected = 'value';
          break;
        case 'value':
          if (byte === QUOTE) return this.#string('value', 'more or end');
          if (byte === 0x7b || byte === 0x5b) this.#open(byte === 0x5b);
          else this.#scalar(byte);
          break;
        case 'key or end':
          if (byte === 0x7d) this.#close();
          else this.#expected = 'key';
          break;
        case 'key':
          return this.#key(byte);
        case 'colon':
          if (byte !== 0x3a) this.#fail('expected ":" after a key');
          this.#at += 1;
          this.#expected = 'value';
          break;
        case 'more or end':
          this.#moreOrEnd(byte);
          break;
        case 'nothing':
          if (byte !== undefined) this.#fail('something follows the end of the JSON object');
          return undefined;
      }
    }
  }

  #open(isArray: boolean): void {
    if (this.#containers.length === MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
    const underUnderscore = this.#containers.at(-1)?.underUnderscore ?? false;
    this.#containers.push({ isArray, underUnderscore: isArray && underUnderscore });
    this.#at += 1;
    this.#expected = isArray ? 'value' : 'key or end';
    if (!isArray) return;
    this.#skipSpace();
    if (this.#bytes[this.#at] === 0x5d) this.#close();
  }

  #close(): void {
    this.#at += 1;
    this.#containers.pop();
    this.#expected = this.#containers.length === 0 ? 'nothing' : 'more or end';
  }

  #moreOrEnd(byte: number | undefined): void {
    const isArray = this.#containers.at(-1)?.isArray ?? false;
    if (byte === 0x2c) {
      this.#at += 1;
      this.#expected = isArray ? 'value' : 'key';
    } else if (byte === (isArray ? 0x5d : 0x7d)) {
      this.#close();
    } else {
      this.#fail(`expected "," or "${isArray ? ']' : '}'}" after a value`);
    }
  }

  #scalar(byte: number | undefined): void {
    if (byte === 0x74) this.#word('true');
    else if (byte === 0x66) this.#word('false');
    else if (byte === 0x6e) this.#word('null');
    else this.#number();
    this.#expected = 'more or end';
  }

  #key(byte: number | undefined): StringToken {
    if (byte !== QUOTE) this.#fail('expected a key in double quotes');
    this.#afterUnderscore = this.#bytes[this.#at + 1] === UNDERSCORE;
    const container = this.#containers.at(-1);
    if (container !== undefined) container.underUnderscore = this.#afterUnderscore;
    return this.#string('key', 'colon');
  }

  #string(role: StringToken['role'], then: Expected): StringToken {
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
    this.#expected = then;
    const token = this.#token;
    token.role = role;
    token.start = start;
    token.end = at + 1;
    token.escaped = escaped || multiline;
    token.multiline = multiline;
    token.depth = this.#containers.length;
    token.afterUnderscore = this.#afterUnderscore;
    token.underUnderscore = this.#containers.at(-1)?.underUnderscore ?? false;
    return token;
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
