import { ENC_LENGTH, PUBLIC_KEY_LENGTH } from '../../../core/crypto/x-wing.ts';
import type { Binding } from '../../../core/format/sealed/binding.ts';
import { newDataKey } from '../../../core/format/sealed/data-key.ts';
import { type OpeningKey, parseStanza, sealStanza } from '../../../core/format/sealed/stanza.ts';
import type { Cast, Player } from './cast.ts';
import { dirtyEnd, flipped, LOW_ORDER_POINTS } from './changes.ts';
import { randomFrom, recordedRandom } from './random.ts';

const STRICT: Binding = { scope: 'strict', namespace: 'payments', name: 'payments-db' };
const CTX_AT = 1088;

export function stanzas(players: Cast): object {
  const { production, staging } = players;
  const bindings: Binding[] = [STRICT, { ...STRICT, scope: 'namespace' }, { ...STRICT, scope: 'cluster' }];
  return {
    mustOpen: [production, staging].flatMap((player) => bindings.map((binding) => sealed(player, binding))),
    mustRefuse: [...moved(production, staging), ...changed(production, staging), ...malformed(production)],
    mustNotSealTo: badPublicKeys(production),
  };
}

function sealed({ sealing, opening }: Player, binding: Binding): object {
  const dataKey = newDataKey(randomFrom('data key'));
  const { random, drawn } = recordedRandom(`stanza ${sealing.recipient} ${binding.scope}`);
  const stanza = sealStanza(dataKey, sealing, binding, random);
  return {
    ...context(opening, binding, dataKey.id),
    dataKey: dataKey.key.toString('hex'),
    encapsulationSeed: drawn()[0],
    stanza,
  };
}

function context({ recipient, kid, seed }: OpeningKey, binding: Binding, dataKeyId: string): object {
  return { recipient, kid, seed: Buffer.from(seed).toString('hex'), binding, dataKeyId };
}

function moved(production: Player, staging: Player): object[] {
  const dataKey = newDataKey(randomFrom('data key'));
  const other = newDataKey(randomFrom('another data key'));
  const stanza = sealStanza(dataKey, production.sealing, STRICT, randomFrom('moved'));
  const us = production.opening;
  const rows: [string, OpeningKey, Binding, string][] = [
    ['to another recipient, which holds the key too', { ...us, recipient: 'staging' }, STRICT, dataKey.id],
    ['to another namespace', us, { ...STRICT, namespace: 'billing' }, dataKey.id],
    ['to another name', us, { ...STRICT, name: 'payments-db-2' }, dataKey.id],
    ['to scope namespace', us, { ...STRICT, scope: 'namespace' }, dataKey.id],
    ['to scope cluster', us, { ...STRICT, scope: 'cluster' }, dataKey.id],
    ['to another data key id', us, STRICT, other.id],
    [
      'to a namespace and name that join to the same text',
      us,
      { ...STRICT, namespace: 'paymentsp', name: 'ayments-db' },
      dataKey.id,
    ],
    ['opened with another seed under the same kid', { ...us, seed: staging.seed }, STRICT, dataKey.id],
  ];
  return [
    ...rows.map(([why, as, binding, id]) => ({ why, code: 'STANZA_REFUSED', ...context(as, binding, id), stanza })),
    {
      why: "sealed to a key that is not the opener's",
      code: 'STANZA_OTHER_KEY',
      ...context(staging.opening, STRICT, dataKey.id),
      stanza,
    },
    {
      why: 'the data key is not the one that the id commits to',
      code: 'STANZA_WRONG_DATA_KEY',
      ...context(us, STRICT, dataKey.id),
      stanza: sealStanza({ id: dataKey.id, key: other.key }, production.sealing, STRICT, randomFrom('two faces')),
    },
  ];
}

function changed(production: Player, staging: Player): object[] {
  const dataKey = newDataKey(randomFrom('data key'));
  const us = context(production.opening, STRICT, dataKey.id);
  const { kid, sealed: bytes } = parseStanza(sealStanza(dataKey, production.sealing, STRICT, randomFrom('changed')));
  const write = (changedBytes: Buffer) => `${kid}:${changedBytes.toString('base64url')}`;
  const topBit = Buffer.from(bytes);
  topBit[ENC_LENGTH - 1] = (topBit[ENC_LENGTH - 1] ?? 0) ^ 0x80;
  const flips: [string, Buffer][] = [
    ['the first byte of ctM changed', flipped(bytes, 0)],
    ['the last byte of ctM changed', flipped(bytes, CTX_AT - 1)],
    ['the first byte of ctX changed', flipped(bytes, CTX_AT)],
    ['the top bit of ctX, which X25519 ignores, changed', topBit],
    ['the ciphertext changed', flipped(bytes, ENC_LENGTH)],
    ['the tag changed', flipped(bytes, -1)],
  ];
  const ofOtherKey = parseStanza(sealStanza(dataKey, staging.sealing, STRICT, randomFrom('changed')));
  return [
    ...flips.map(([why, changedBytes]) => ({ why, code: 'STANZA_REFUSED', ...us, stanza: write(changedBytes) })),
    {
      why: "another key's stanza under our kid",
      code: 'STANZA_REFUSED',
      ...us,
      stanza: write(ofOtherKey.sealed),
    },
    ...LOW_ORDER_POINTS.map(({ why, point }) => ({
      why: `ctX of low order: ${why}`,
      code: 'HPKE_LOW_ORDER',
      ...us,
      stanza: write(Buffer.concat([bytes.subarray(0, CTX_AT), Buffer.from(point, 'hex'), bytes.subarray(ENC_LENGTH)])),
    })),
  ];
}

function malformed(production: Player): object[] {
  const dataKey = newDataKey(randomFrom('data key'));
  const us = context(production.opening, STRICT, dataKey.id);
  const good = sealStanza(dataKey, production.sealing, STRICT, randomFrom('malformed'));
  const [kid = '', text = ''] = good.split(':');
  const rows: [string, string, string?][] = [
    ['empty', ''],
    ['no kid', text],
    ['the kid in upper case', `${kid.toUpperCase()}:${text}`],
    ['a kid of 31 digits', `${kid.slice(1)}:${text}`],
    ['one character short', good.slice(0, -1)],
    ['one character more', `${good}A`],
    ['padding', `${good}==`],
    ['a line end', `${good}\n`],
    ['a line end within', `${kid}:${text.slice(0, 100)}\n${text.slice(101)}`],
    ['a space before', ` ${good}`],
    ['the alphabet of standard base64', `${kid}:+${text.slice(1)}`],
    ['a second colon', `${kid}::${text.slice(1)}`],
    ['the last character has bits of no byte', dirtyEnd(good), 'ENCODING_BASE64URL'],
  ];
  return rows.map(([why, stanza, code = 'STANZA_MALFORMED']) => ({ why, code, ...us, stanza }));
}

function badPublicKeys({ sealing }: Player): object[] {
  const key = Buffer.from(sealing.publicKey);
  const withFirst = (low: number, high: number) => {
    const changedKey = Buffer.from(key);
    changedKey.set([low, ((changedKey[1] ?? 0) & 0xf0) | high]);
    return changedKey;
  };
  const withLast = Buffer.from(key);
  withLast.set([0xff, 0xff], 1150);
  return [
    { why: 'a coefficient of ekM is q', code: 'HPKE_KEY_NOT_CANONICAL', key: withFirst(0x01, 0x0d) },
    { why: 'a coefficient of ekM is 4095', code: 'HPKE_KEY_NOT_CANONICAL', key: withFirst(0xff, 0x0f) },
    { why: 'the last coefficient of ekM is 4095', code: 'HPKE_KEY_NOT_CANONICAL', key: withLast },
    { why: 'one byte short', code: 'HPKE_KEY_LENGTH', key: key.subarray(1) },
    { why: 'one byte more', code: 'HPKE_KEY_LENGTH', key: Buffer.concat([key, Buffer.alloc(1)]) },
    ...LOW_ORDER_POINTS.map(({ why, point }) => ({
      why: `pkX of low order: ${why}`,
      code: 'HPKE_LOW_ORDER',
      key: Buffer.concat([key.subarray(0, PUBLIC_KEY_LENGTH - 32), Buffer.from(point, 'hex')]),
    })),
  ].map(({ why, code, key: bytes }) => ({ why, code, publicKey: bytes.toString('hex') }));
}
