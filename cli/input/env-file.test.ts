import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import fc from '../../test/support/properties.ts';
import { readEnvFile } from './env-file.ts';

function pairs(text: string): [string, string][] {
  return readEnvFile(Buffer.from(text), 'db.env').map(({ name, value }) => [name, value.toString()]);
}

describe('an env file, as docker and kubectl read it', () => {
  const read: [string, string, [string, string][]][] = [
    [
      'a line each',
      'A=1\nB=2\n',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    ['without a final line end', 'A=1', [['A', '1']]],
    [
      'CRLF line ends',
      'A=1\r\nB=2\r\n',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    ['comments and empty lines', '# A=0\n\n   # B=0\n \t\nA=1\n', [['A', '1']]],
    ['blanks before the name', '  A=1\n', [['A', '1']]],
    ['blanks around the value stay', 'A= 1 \n', [['A', ' 1 ']]],
    ['quotes stay', 'A="1"\n', [['A', '"1"']]],
    ['what looks like a comment stays', 'A=1 # 2\n', [['A', '1 # 2']]],
    ['variables and escapes stay', 'A=$B\\n\n', [['A', '$B\\n']]],
    ['more equals signs belong to the value', 'A=b=c==\n', [['A', 'b=c==']]],
    ['an empty value', 'A=\n', [['A', '']]],
    ['a byte order mark at the start is skipped', '\ufeffA=1\n', [['A', '1']]],
    ['names of Kubernetes entries', 'a.b-c_D=1\n', [['a.b-c_D', '1']]],
  ];
  for (const [what, text, wanted] of read) test(what, () => assert.deepEqual(pairs(text), wanted));

  const refused: [string, string, number][] = [
    ['a name without =, for which others read the environment', 'A=1\nPATH\n', 2],
    ['export', 'export A=1\n', 1],
    ['a blank after the name', 'A =1\n', 1],
    ['no name', '=1\n', 1],
    ['a name twice', 'A=1\n\nA=2\n', 3],
    ['a name that is a path', '..=1\n', 1],
  ];
  for (const [what, text, line] of refused) {
    test(`refuses ${what}, and says where`, () => {
      assert.throws(
        () => pairs(text),
        (error) => error instanceof CofferError && error.code === 'ENV_FILE_LINE' && error.data.line === line,
      );
    });
  }

  test('does not repeat a line that it refuses: the line may be a secret', () => {
    assert.throws(
      () => pairs('hunter2\n'),
      (error) => error instanceof CofferError && !`${error.message}${error.advice}`.includes('hunter2'),
    );
  });

  test('keeps any bytes without a line end', () => {
    const value = fc.uint8Array().filter((bytes) => !bytes.includes(10) && bytes.at(-1) !== 13);
    fc.assert(
      fc.property(value, (bytes) => {
        const [entry] = readEnvFile(Buffer.concat([Buffer.from('A='), bytes, Buffer.from('\n')]), 'db.env');
        assert.deepEqual(new Uint8Array(entry?.value ?? []), bytes);
      }),
    );
  });
});
