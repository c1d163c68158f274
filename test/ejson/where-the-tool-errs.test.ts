import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import nacl from 'tweetnacl';
import { decryptEjson } from '../../core/ejson/decrypter.ts';
import { readEjson } from '../../core/ejson/document.ts';
import { encryptEjson } from '../../core/ejson/encrypter.ts';
import { CofferError } from '../../core/errors.ts';
import { partOrSkip } from '../parts/parts.ts';
import { RealEjson } from './real-tool.ts';

const folder = mkdtempSync(join(tmpdir(), 'coffer-ejson-errs-'));
after(() => rmSync(folder, { recursive: true }));

/** 44 and 32 characters that the tool takes for a key and a nonce. */
const KEY_SHAPED = '='.repeat(44);
const NONCE_SHAPED = '='.repeat(32);

interface Difference {
  what: string;
  /** `KEY` stands for the public key. */
  text: string | Buffer;
  tool: RegExp;
  coffer: string | RegExp;
}

const whenSealing: Difference[] = [
  {
    what: 'a string in an array after an object whose last key begins with "_": the tool leaves it in plaintext',
    text: '{"_public_key":"KEY","creds":[{"_name":"x"},"SECRET"]}',
    tool: /\[\{"_name":"x"\},"SECRET"\]\}$/,
    coffer: 'EJSON_UNDERSCORE_LEAK',
  },
  {
    what: 'white space after the document: the tool drops all but one byte',
    text: '{"_public_key":"KEY","_a":"b"} \n\n',
    tool: /"_a":"b"\} $/,
    coffer: /"_a":"b"\} \n\n$/,
  },
  {
    what: 'a second document after the first: the tool drops it',
    text: '{"_public_key":"KEY"}\n{"b":"SECRET"}\n',
    tool: /^\{"_public_key":"[0-9a-f]{64}"\}\n$/,
    coffer: 'EJSON_SYNTAX',
  },
  {
    what: 'bytes that are not UTF-8: the tool seals U+FFFD in their place',
    text: Buffer.concat([Buffer.from('{"_public_key":"KEY","a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    tool: /"a":"EJ\[1:.*\]"\}$/,
    coffer: 'EJSON_NOT_UTF8',
  },
  {
    what: 'half a surrogate pair: the tool seals U+FFFD in its place',
    text: '{"_public_key":"KEY","a":"\\ud83d"}',
    tool: /"a":"EJ\[1:.*\]"\}$/,
    coffer: 'EJSON_SURROGATE',
  },
  {
    what: 'plaintext that has the outline of a box: the tool leaves it in plaintext',
    text: `{"_public_key":"KEY","a":"EJ[1:${KEY_SHAPED}:${NONCE_SHAPED}:SECRET]"}`,
    tool: /:SECRET\]"\}$/,
    coffer: 'EJSON_BOX_MALFORMED',
  },
  {
    what: 'two public keys: the tool takes the last',
    text: `{"_public_key":"${'ab'.repeat(32)}","a":"b","_public_key":"KEY"}`,
    tool: /"a":"EJ\[1:/,
    coffer: 'EJSON_PUBLIC_KEY_TWICE',
  },
  {
    what: 'a public key under an escaped name: the tool seals the key itself',
    text: '{"\\u005fpublic_key":"KEY","a":"b"}',
    tool: /^\{"\\u005fpublic_key":"EJ\[1:/,
    coffer: 'EJSON_PUBLIC_KEY_MISSING',
  },
  {
    what: 'a public key of low order: the tool seals so that everybody can open',
    text: `{"_public_key":"${'00'.repeat(32)}","a":"b"}`,
    tool: /"a":"EJ\[1:/,
    coffer: 'EJSON_PUBLIC_KEY_WEAK',
  },
  {
    what: 'a backslash in front of a line end: the tool seals a backslash and an n',
    text: '{"_public_key":"KEY","_a":"x\\\nb"}',
    tool: /"_a":"x\\\\nb"\}$/,
    coffer: 'EJSON_SYNTAX',
  },
];

describe('where the ejson tool errs, coffer keeps the value or refuses the file:', () => {
  for (const { what, text, tool, coffer } of whenSealing) {
    test(what, async (t) => {
      const program = await partOrSkip(t, 'ejson');
      if (program === undefined) return;
      const real = await RealEjson.open(program, mkdtempSync(join(folder, 'seal-')));
      const bytes = withKey(text, real.keypair.publicText);
      const byTool = real.encrypt(bytes);
      assert.deepEqual({ status: byTool.status, stderr: byTool.stderr }, { status: 0, stderr: '' });
      assert.match(byTool.text.toString(), tool);
      if (typeof coffer === 'string') assert.throws(() => encryptEjson(bytes, 'f.ejson'), isCofferError(coffer));
      else assert.match(encryptEjson(bytes, 'f.ejson').text, coffer);
    });
  }

  test('a sealed string that the tool would pass through unopened is opened, and plaintext there stays', async (t) => {
    const program = await partOrSkip(t, 'ejson');
    if (program === undefined) return;
    const real = await RealEjson.open(program, mkdtempSync(join(folder, 'open-')));
    const sealed = encryptEjson(withKey('{"_public_key":"KEY","a":["S","T"]}', real.keypair.publicText), 'f').text;
    const moved = sealed.replace('"a":[', '"a":[{"_n":"x"},"PLAIN",');
    assert.equal(real.decrypt(moved).stdout.toString(), moved);
    const opened = decryptEjson(readEjson(Buffer.from(moved), 'f', { multiline: false }), real.keypair);
    assert.match(opened.toString(), /"a":\[\{"_n":"x"\},"PLAIN","S","T"\]\}$/);
  });

  test('a sealed value that is not UTF-8 is refused; the tool prints U+FFFD', async (t) => {
    const program = await partOrSkip(t, 'ejson');
    if (program === undefined) return;
    const real = await RealEjson.open(program, mkdtempSync(join(folder, 'bytes-')));
    const { publicKey, secretKey } = nacl.box.keyPair();
    const nonce = nacl.randomBytes(24);
    const box = nacl.box(Uint8Array.of(0xff), nonce, real.keypair.publicKey, secretKey);
    const [key64, nonce64, box64] = [publicKey, nonce, box].map((bytes) => Buffer.from(bytes).toString('base64'));
    const text = `{"_public_key":"${real.keypair.publicText}","a":"EJ[1:${key64}:${nonce64}:${box64}]"}`;
    assert.match(real.decrypt(text).stdout.toString(), /"a":"\\ufffd"\}$/);
    const document = readEjson(Buffer.from(text), 'f', { multiline: false });
    assert.throws(() => decryptEjson(document, real.keypair), isCofferError('EJSON_VALUE_NOT_TEXT'));
  });

  test('every one of these is listed in docs/ejson.md', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/ejson.md'), 'utf8');
    for (const { coffer } of whenSealing) if (typeof coffer === 'string') assert.ok(page.includes(coffer), coffer);
    assert.ok(page.includes('EJSON_VALUE_NOT_TEXT'));
  });
});

const refusedByBoth: [what: string, text: string][] = [
  ['an empty file', ''],
  ['an array', '["_public_key"]'],
  ['no public key', '{"a":"b"}'],
  ['a public key that is a number', '{"_public_key":1}'],
  ['a public key that is a number, with a string after it', '{"_public_key":1,"a":"KEY"}'],
  ['a public key that is a list', '{"_public_key":["KEY"]}'],
  ['a public key that is too short', '{"_public_key":"abc"}'],
  ['a public key that stands deeper', '{"a":{"_public_key":"KEY"}}'],
  ['a byte-order mark', '\ufeff{"_public_key":"KEY"}'],
  ['a trailing comma', '{"_public_key":"KEY","a":"b",}'],
  ['a comment', '{"_public_key":"KEY" /* x */}'],
  ['a tab inside a string', '{"_public_key":"KEY","a":"\t"}'],
  ['an unknown escape', '{"_public_key":"KEY","a":"\\x"}'],
  ['half an escape', '{"_public_key":"KEY","a":"\\u00"}'],
  ['a number with a leading zero', '{"_public_key":"KEY","a":01}'],
  ['a number that is not finite', '{"_public_key":"KEY","a":1e999}'],
  ['a bare word', '{"_public_key":"KEY","a":yes}'],
  ['a string without an end', '{"_public_key":"KEY","a":"b'],
  ['an object without an end', '{"_public_key":"KEY"'],
  ['the wrong bracket', '{"_public_key":"KEY","a":["b"}'],
  ['nesting without bound', `{"_public_key":"KEY","a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
];

describe('what the ejson tool refuses, coffer refuses and says where:', () => {
  for (const [what, text] of refusedByBoth) {
    test(what, async (t) => {
      const program = await partOrSkip(t, 'ejson');
      if (program === undefined) return;
      const real = await RealEjson.open(program, mkdtempSync(join(folder, 'both-')));
      const bytes = withKey(text, real.keypair.publicText);
      assert.equal(real.encrypt(bytes).status, 1);
      assert.throws(
        () => encryptEjson(bytes, 'f.ejson'),
        (error) => error instanceof CofferError && error.code.startsWith('EJSON_') && error.data.file === 'f.ejson',
      );
    });
  }
});

function withKey(text: string | Buffer, publicText: string): Buffer {
  return Buffer.from(Buffer.from(text).toString('latin1').replace('KEY', publicText), 'latin1');
}

function isCofferError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof CofferError && error.code === code;
}
