/** Generates ejson files as people and programs write them, and worse: the text, not a tree, is what is generated. */

import fc from '../support/properties.ts';

/** `{public key}` stands for the key of the test. Each is accepted by the ejson tool. */
export function generatedFiles(count: number, seed: number): string[] {
  return fc.sample(file, { numRuns: count, seed });
}

const space = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r\n', '  \n    ');

const character = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(..."abcXYZ019 -_./:@$%{}[],'") },
  {
    weight: 3,
    arbitrary: fc.constantFrom('é', 'ß', '漢', '😀', '\u2028', '\u00a0', '\u007f', '\ufeff', '\uffff', '<', '&', '>'),
  },
  { weight: 3, arbitrary: fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '\\u0041',
      '\\u00e9',
      '\\uD83D\\uDE00',
      '\\u0000',
      '\\u001f',
      '\\u2029',
      '\\u005c',
      '\\u0022',
    ),
  },
  // The tool lets strings run over line ends, and seals them with the escapes.
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n') },
);

const content = fc.array(character, { maxLength: 24 }).map((characters) => characters.join(''));

/** What is sealed only if it is taken for plaintext: nearly a box, a JSON document, an empty string. */
const tricky = fc.constantFrom('', 'EJ[', 'EJ[1:a:b:c]', 'EJ[2:', '{\\"a\\":1}', '_public_key', '_', 'true', '0');

const string = fc.oneof({ weight: 8, arbitrary: content }, { weight: 1, arbitrary: tricky }).map((text) => `"${text}"`);

const key = fc
  .oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom('a', 'b', 'password', '', 'public_key', ' _a', '\\u005fa', '__proto__', 'constructor'),
    },
    { weight: 3, arbitrary: fc.constantFrom('_', '_a', '_comment', '__', '_é') },
    { weight: 2, arbitrary: content },
  )
  .map((text) => `"${text}"`);

const scalar = fc.constantFrom(
  '0',
  '-0',
  '12',
  '-1.5',
  '1e3',
  '2E-10',
  '1.7976931348623157e308',
  'true',
  'false',
  'null',
);

const { value, members } = fc.letrec<{ value: string; array: string; object: string; members: string }>((tie) => ({
  value: fc
    .tuple(
      space,
      fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        { weight: 6, arbitrary: string },
        { weight: 1, arbitrary: scalar },
        { weight: 2, arbitrary: tie('array') },
        { weight: 2, arbitrary: tie('object') },
      ),
      space,
    )
    .map((parts) => parts.join('')),
  array: fc.array(tie('value'), { maxLength: 4 }).map((values) => `[${values.join(',')}]`),
  object: fc.tuple(space, tie('members')).map(([inside, text]) => `{${text === '' ? inside : text}}`),
  members: fc
    .array(fc.tuple(space, key, space, tie('value')), { maxLength: 4 })
    .map((list) => list.map(([before, name, after, text]) => `${before}${name}${after}:${text}`).join(',')),
}));

const file = fc
  .tuple(space, members, space, fc.array(value, { maxLength: 2 }), space, space)
  .map(([before, some, around, list, end, tail]) => {
    const first = some === '' ? '' : `${some},`;
    const last = list.map((text, index) => `,"list${index}":[${text}]`).join('');
    return `${before}{${first}${around}"_public_key"${around}: "{public key}"${last}${end}}${tail}`;
  });
