import { encodeBase64url } from '../../../core/crypto/base64url.ts';
import { pae } from '../../../core/crypto/pae.ts';
import { dataKeyId } from '../../../core/format/sealed/data-key.ts';
import { randomFrom } from './random.ts';

const PAE_PARTS: (string | Buffer)[][] = [
  [],
  [''],
  ['', ''],
  ['a', 'bc'],
  ['ab', 'c'],
  ['coffer/v1/value', 'strict', 'payments', 'payments-db', 'password'],
  ['coffer/v1/value', 'cluster', '', '', 'password'],
  ['zoë'],
  [Buffer.from('00ff', 'hex')],
];

export function encodings(): object {
  const random = randomFrom('encodings');
  return {
    pae: PAE_PARTS.map((parts) => ({
      parts: parts.map((part) => Buffer.from(part).toString('hex')),
      encoded: pae(...parts).toString('hex'),
    })),
    base64url: {
      mustDecode: [0, 1, 2, 3, 24, 32, 33].map((length) => {
        const bytes = random(length);
        return { text: encodeBase64url(bytes), bytes: bytes.toString('hex') };
      }),
      mustRefuse: [
        ['AA==', 'padding'],
        ['A', 'length mod 4 is 1'],
        ['AAAAA', 'length mod 4 is 1'],
        ['AB', 'the last character has bits of no byte'],
        ['AAB', 'the last character has bits of no byte'],
        ['+/+/', 'the alphabet of standard base64'],
        ['AA\n', 'a line end'],
        ['AA\nAA', 'a line end within'],
        [' AAAA', 'a space'],
        ['AA AA', 'a space within'],
        ['AAA*', 'not in the alphabet'],
        ['ＡＡＡＡ', 'full-width letters'],
      ].map(([text, why]) => ({ why, code: 'ENCODING_BASE64URL', text })),
    },
    dataKeyIds: [Buffer.alloc(32), random(32)].map((key) => ({ dataKey: key.toString('hex'), id: dataKeyId(key) })),
  };
}
