import type { Binding } from '../../../core/format/sealed/binding.ts';
import { newDataKey } from '../../../core/format/sealed/data-key.ts';
import { parseSealedValue, sealValue } from '../../../core/format/sealed/value.ts';
import { dirtyEnd, flipped } from './changes.ts';
import { randomFrom, recordedRandom } from './random.ts';
import { sealPadded } from './seal-padded.ts';

const STRICT: Binding = { scope: 'strict', namespace: 'payments', name: 'payments-db' };
const ENTRY = 'password';

export function values(): object {
  return {
    mustOpen: [...opening(), ...morePadding()],
    mustRefuse: [...moved(), ...changed(), ...badPadding(), ...malformed()],
  };
}

function dataKey() {
  return newDataKey(randomFrom('data key of the values'));
}

function context(binding: Binding, entry: string, key: Buffer = dataKey().key): object {
  return { binding, entry, dataKey: key.toString('hex') };
}

function opening(): object[] {
  const rows: [string, Buffer, Binding, string][] = [
    ['text', Buffer.from('correct horse battery staple'), STRICT, ENTRY],
    ['empty', Buffer.alloc(0), STRICT, ENTRY],
    ['31 bytes: one block with the mark', Buffer.alloc(31, 0x61), STRICT, ENTRY],
    ['32 bytes: the mark begins a block of its own', Buffer.alloc(32, 0x61), STRICT, ENTRY],
    ['33 bytes', Buffer.alloc(33, 0x61), STRICT, ENTRY],
    ['ends as padding does', Buffer.from('6180000080', 'hex'), STRICT, ENTRY],
    ['zeros', Buffer.alloc(40), STRICT, ENTRY],
    ['not UTF-8', Buffer.from('fffe00c0af', 'hex'), STRICT, ENTRY],
    ['scope namespace', Buffer.from('any name'), { ...STRICT, scope: 'namespace' }, ENTRY],
    ['scope cluster', Buffer.from('any namespace'), { ...STRICT, scope: 'cluster' }, ENTRY],
    ['an entry that JavaScript finds hard', Buffer.from('value'), STRICT, '__proto__'],
    ['a long one', randomFrom('long value')(3000), STRICT, 'tls.key'],
  ];
  return rows.map(([why, plaintext, binding, entry]) => {
    const { random, drawn } = recordedRandom(`value ${why}`);
    const text = sealValue(plaintext, dataKey(), binding, entry, random);
    return { why, ...context(binding, entry), nonce: drawn()[0], plaintext: plaintext.toString('hex'), text };
  });
}

function morePadding(): object[] {
  const padded = Buffer.concat([Buffer.from('short'), Buffer.from([0x80]), Buffer.alloc(96 - 6)]);
  return [
    {
      why: 'two whole blocks more than are needed, to hide the length',
      ...context(STRICT, ENTRY),
      plaintext: Buffer.from('short').toString('hex'),
      text: sealPadded(padded, dataKey(), STRICT, ENTRY),
    },
  ];
}

function moved(): object[] {
  const text = sealValue(Buffer.from('secret'), dataKey(), STRICT, ENTRY, randomFrom('moved value'));
  const rows: [string, Binding, string, Buffer?][] = [
    ['to another entry', STRICT, 'username'],
    ['to the entry in other letters', STRICT, 'Password'],
    ['to another namespace', { ...STRICT, namespace: 'billing' }, ENTRY],
    ['to another name', { ...STRICT, name: 'orders-db' }, ENTRY],
    ['to scope namespace', { ...STRICT, scope: 'namespace' }, ENTRY],
    ['to scope cluster', { ...STRICT, scope: 'cluster' }, ENTRY],
    ['to a name and entry that join to the same text', { ...STRICT, name: 'payments-dbp' }, 'assword'],
    ['under another data key', STRICT, ENTRY, newDataKey(randomFrom('yet another data key')).key],
  ];
  return rows.map(([why, binding, entry, key]) => ({
    why,
    code: 'VALUE_REFUSED',
    ...context(binding, entry, key),
    text,
  }));
}

function changed(): object[] {
  const twoBlocks = Buffer.from('a secret that needs two blocks of padding');
  const good = sealValue(twoBlocks, dataKey(), STRICT, ENTRY, randomFrom('changed value'));
  const { dataKeyId, nonce, ciphertext } = parseSealedValue(good);
  const bytes = Buffer.concat([nonce, ciphertext]);
  const rows: [string, Buffer][] = [
    ['the nonce changed', flipped(bytes, 0)],
    ['the ciphertext changed', flipped(bytes, 24)],
    ['the padding changed', flipped(bytes, 24 + 63)],
    ['the tag changed', flipped(bytes, -1)],
    ['a block cut off', Buffer.concat([bytes.subarray(0, 24), bytes.subarray(24 + 32)])],
    ['a block put in', Buffer.concat([bytes.subarray(0, 24), Buffer.alloc(32), bytes.subarray(24)])],
  ];
  return rows.map(([why, changedBytes]) => ({
    why,
    code: 'VALUE_REFUSED',
    ...context(STRICT, ENTRY),
    text: `CF[1:${dataKeyId}:${changedBytes.toString('base64url')}]`,
  }));
}

function badPadding(): object[] {
  const rows: [string, Buffer][] = [
    ['only zeros', Buffer.alloc(32)],
    ['no mark', Buffer.concat([Buffer.from('secret'), Buffer.alloc(26)])],
    ['the mark has another bit', Buffer.concat([Buffer.from('secret'), Buffer.from([0x81]), Buffer.alloc(25)])],
    ['PKCS #7', Buffer.concat([Buffer.from('secret'), Buffer.alloc(26, 26)])],
    [
      'a byte after the zeros',
      Buffer.concat([Buffer.from('secret'), Buffer.from([0x80]), Buffer.alloc(24), Buffer.from([1])]),
    ],
  ];
  return rows.map(([why, padded]) => ({
    why: `padding: ${why}`,
    code: 'VALUE_PADDING',
    ...context(STRICT, ENTRY),
    text: sealPadded(padded, dataKey(), STRICT, ENTRY),
  }));
}

function malformed(): object[] {
  const good = sealValue(Buffer.alloc(40, 0x62), dataKey(), STRICT, ENTRY, randomFrom('malformed value'));
  const { id } = dataKey();
  const sealed = good.slice(`CF[1:${id}:`.length, -1);
  const unpadded = (length: number) => sealPadded(Buffer.alloc(length, 0x80), dataKey(), STRICT, ENTRY);
  const rows: [string, string, string?][] = [
    ['empty', ''],
    ['only the beginning', 'CF['],
    ['no bracket at the end', good.slice(0, -1)],
    ['something after the bracket', `${good} `],
    ['a line end', `${good}\n`],
    ['a space before', ` ${good}`],
    ['in lower case', good.replace('CF[', 'cf[')],
    ['another version', good.replace('CF[1:', 'CF[2:')],
    ['a data key id of 31 characters', `CF[1:${id.slice(1)}:${sealed}]`],
    ['a data key id of 33 characters', `CF[1:A${id}:${sealed}]`],
    ['no data key id', `CF[1:${sealed}]`],
    ['padding', `CF[1:${id}:${sealed}==]`],
    ['the alphabet of standard base64', `CF[1:${id}:+${sealed.slice(1)}]`],
    ['a line end within', `CF[1:${id}:${sealed.slice(0, 60)}\n${sealed.slice(61)}]`],
    ['a length of no whole blocks', unpadded(33)],
    ['no block at all', unpadded(0)],
    ['an ejson value', 'EJ[1:'],
    ['the last character has bits of no byte', `CF[1:${id}:${dirtyEnd(sealed)}]`, 'ENCODING_BASE64URL'],
    ['one character short', `CF[1:${id}:${sealed.slice(0, -1)}]`],
  ];
  return rows.map(([why, text, code = 'VALUE_MALFORMED']) => ({ why, code, ...context(STRICT, ENTRY), text }));
}
