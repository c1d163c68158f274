import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { CofferError } from '../../errors.ts';
import { documentProblems, mayHoldCoffer, readDocuments } from './document.ts';

const CONFIG = 'apiVersion: coffer.dev/v1\nkind: Config\n';

function codes(text: string | Uint8Array): string[] {
  const { problems } = documentProblems(Buffer.from(text), 'a.yaml');
  return [...new Set(problems.map(({ code }) => code))];
}

function kinds(text: string): string[] {
  return readDocuments(Buffer.from(text), 'a.yaml').documents.map(({ kind }) => kind);
}

describe('which documents are coffer’s', () => {
  test('those whose apiVersion begins coffer.dev/, wherever they stand in a file', () => {
    const foreign = 'apiVersion: v1\nkind: Secret\nmetadata: {name: &x a, labels: {a: *x, a: 2}}\n';
    const file = readDocuments(Buffer.from(`# head\n---\n${foreign}---\n${CONFIG}...\n---\n${foreign}`), 'a.yaml');
    assert.deepEqual(
      file.documents.map(({ kind, index }) => [kind, index]),
      [['Config', 1]],
    );
    assert.deepEqual(file.documents[0]?.position(['kind']), { line: 8, column: 1, offset: 115 });
  });

  const foreign: [string, string | Uint8Array][] = [
    ['nothing', ''],
    ['comments only', '# apiVersion: coffer.dev/v1\n'],
    ['another object', 'apiVersion: v1\nkind: Secret\n'],
    ['a CRD of ours', 'apiVersion: apiextensions.k8s.io/v1\nspec: {group: coffer.dev}\n'],
    ['a text that mentions coffer.dev/v1', 'see: "coffer.dev/v1"\n'],
    ['a chart template that cannot be parsed', '{{- if .Values.x }}\napiVersion: v1\n{{- end }}\n'],
    ['JSON that cannot be parsed', '{"apiVersion": "v1",}'],
    ['binary', Uint8Array.of(0, 255, 92, 128)],
    ['UTF-16 of another', Buffer.from('\uFEFFsee: coffer.dev/v1\n', 'utf16le')],
    [
      'a reference to one of ours',
      'kind: Secret\nmetadata: {ownerReferences: [{apiVersion: coffer.dev/v1, kind: EncryptedSecret}]}\n',
    ],
    [
      'ours in a string of another',
      'apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n    apiVersion: coffer.dev/v1\n    kind: Nope\n',
    ],
    ['directives before other documents', '%YAML 1.2\n---\nsee: "coffer.dev/v1"\n'],
    ['a merge of others', 'x: &x {apiVersion: v1}\ny: &x {apiVersion: coffer.dev/v1}\nx2: &x {a: 1}\n<<: *x\n'],
    ['an object that merges itself', 'see: coffer.dev/v1\na: &a {<<: *a}\n<<: *a\n'],
    ['conflict markers in somebody else’s file', '<<<<<<< a\nx: 1\n=======\nx: 2\n>>>>>>> b\n'],
  ];
  for (const [name, text] of foreign) {
    test(`left alone: ${name}`, () => {
      assert.deepEqual(readDocuments(Buffer.from(text), 'a.yaml').documents, []);
    });
  }

  const hidden = [
    '"apiVersion": "coffer.dev\\/v1"\nkind: Config\n',
    '"\\u0061piVersion": "\\x63offer.dev/v1"\nkind: Config\n',
    'apiVersion: >-\n  coffer.dev/v1\nkind: Config\n',
    '{"kind": "Config", "apiVersion": "coffer\\u002edev/v1"}',
    "? apiVersion\n: 'coffer.dev/v1'\nkind: Config\n",
  ];
  for (const text of hidden) {
    test(`found, however it is written: ${JSON.stringify(text)}`, () => {
      assert.ok(mayHoldCoffer(Buffer.from(text)));
      assert.deepEqual(kinds(text), ['Config']);
    });
  }

  test('a document that cannot be parsed does not hide the others', () => {
    const { documents, problems } = documentProblems(
      Buffer.from(`a: {{ .x }\n---\n${CONFIG}---\n${CONFIG}x: [\n`),
      'f',
    );
    assert.deepEqual(
      documents.documents.map(({ kind }) => kind),
      ['Config'],
    );
    assert.deepEqual(
      problems.map(({ code, data }) => [code, data.line]),
      [['FILE_SYNTAX', 9]],
    );
  });
});

describe('what is refused in coffer’s documents', () => {
  const refused: [code: string, yaml: string][] = [
    ['DOCUMENT_VERSION', 'apiVersion: coffer.dev/v2\nkind: Config\n'],
    ['DOCUMENT_VERSION', 'apiVersion: coffer.dev/\nkind: Config\n'],
    ['DOCUMENT_KIND', 'apiVersion: coffer.dev/v1\nkind: Secret\n'],
    ['DOCUMENT_KIND', 'apiVersion: coffer.dev/v1\n'],
    ['DOCUMENT_DUPLICATE_KEY', `${CONFIG}a: x\n"a": z\n`],
    ['DOCUMENT_DUPLICATE_KEY', 'apiVersion: v1\napiVersion: coffer.dev/v1\nkind: Config\n'],
    ['DOCUMENT_ANCHOR', `${CONFIG}a: &x z\n`],
    ['DOCUMENT_ANCHOR', `${CONFIG}&x a: z\n`],
    ['DOCUMENT_ANCHOR', `${CONFIG}a: &x {b: z}\n`],
    ['DOCUMENT_ALIAS', `${CONFIG}a: &x z\nb: *x\n`],
    ['DOCUMENT_ALIAS', 'a: &v coffer.dev/v1\napiVersion: *v\nkind: Config\n'],
    ['DOCUMENT_MERGE_KEY', `${CONFIG}a: {<<: {b: z}}\n`],
    ['DOCUMENT_MERGE_KEY', '<<: {apiVersion: coffer.dev/v1}\nkind: Config\n'],
    ['DOCUMENT_MERGE_KEY', 'a: &a {apiVersion: coffer.dev/v1}\n<<: *a\nkind: Config\n'],
    ['DOCUMENT_MERGE_KEY', 'a: [&a {apiVersion: coffer.dev/v1}, &b {<<: [*a]}]\n<<: [{kind: Config}, *b]\n'],
    ['DOCUMENT_MERGE_KEY', 'a: &a [{apiVersion: coffer.dev/v1}]\n<<: *a\n'],
    ['DOCUMENT_TAG', `${CONFIG}a: !!str z\n`],
    ['DOCUMENT_TAG', `${CONFIG}a: ! z\n`],
    ['DOCUMENT_TAG', `${CONFIG}a: !secret z\n`],
    ['DOCUMENT_TAG', `${CONFIG}a: !<tag:yaml.org,2002:binary> eHg=\n`],
    ['DOCUMENT_TAG', `${CONFIG}a: !!map {b: z}\n`],
    ['DOCUMENT_TAG', `${CONFIG}!!binary a: z\n`],
    ['DOCUMENT_TAG', `!!map\n${CONFIG}`],
    ['DOCUMENT_DIRECTIVE', `%YAML 1.2\n---\n${CONFIG}`],
    ['DOCUMENT_DIRECTIVE', `x: 1\n...\n%TAG ! tag:x,2000:\n---\n${CONFIG}`],
    ['DOCUMENT_DIRECTIVE', `${CONFIG}---\nx: 1\n...\n%YAML 1.1\n---\ny: 1\n`],
    ['DOCUMENT_DIRECTIVE', `%YAML 1.1\n---\nx: 1\n---\n${CONFIG}`],
    ['DOCUMENT_DIRECTIVE', `${CONFIG}...\n%YAML 1.2\n`],
    ['DOCUMENT_KEY', `${CONFIG}? [a]\n: z\n`],
    ['DOCUMENT_KEY', `${CONFIG}? {a: b}\n: z\n`],
    ['DOCUMENT_AMBIGUOUS', `${CONFIG}on: z\n`],
    ['DOCUMENT_AMBIGUOUS', `${CONFIG}a: {1e3: z}\n`],
    ['DOCUMENT_AMBIGUOUS', `${CONFIG}: z\n`],
    ['DOCUMENT_NESTED', `apiVersion: v1\nkind: List\nitems:\n  - apiVersion: coffer.dev/v1\n    spec: {}\n`],
    [
      'DOCUMENT_NESTED',
      `apiVersion: v1\nitems: [{apiVersion: &a coffer.dev/v1, b: x}, {apiVersion: *a, metadata: {}}]\n`,
    ],
    ['DOCUMENT_NESTED', 'x: &x {apiVersion: coffer.dev/v1}\nitems: [{<<: *x, metadata: {}}, {a: 1}]\n'],
    ['DOCUMENT_NESTED', `${CONFIG}a: {apiVersion: coffer.dev/v1, metadata: {}}\n`],
    ['FILE_CHARACTER', `\uFEFF${CONFIG}`],
    ['FILE_CHARACTER', `${CONFIG}a: "x\uFEFF"\n`],
    ['FILE_CHARACTER', `${CONFIG}a: x\0\n`],
    ['FILE_CHARACTER', `${CONFIG}a: "\\0"\n`],
    ['FILE_CHARACTER', `${CONFIG}a: "\\x00"\n`],
    ['FILE_CHARACTER', `${CONFIG}a: "\\ud800"\n`],
    ['FILE_CHARACTER', `${CONFIG}a: "\\udc00\\ud800"\n`],
    ['FILE_CHARACTER', `${CONFIG}"\\ud800": z\n`],
    ['FILE_CHARACTER', `${CONFIG}a: "\\U00110000"\n`],
    ['FILE_CHARACTER', `${CONFIG}a: "\\UFFFFFFFF"\n`],
    ['FILE_CHARACTER', `${CONFIG}a: "\\ufeff"\n`],
    ['FILE_CONFLICT_MARKERS', `<<<<<<< HEAD\n${CONFIG}=======\n${CONFIG}a: b\n>>>>>>> x\n`],
    ['DOCUMENT_TOO_LARGE', `${CONFIG}# ${'x'.repeat(1024 * 1024)}\n`],
    ['FILE_TOO_LARGE', `${CONFIG}# ${'x'.repeat(16 * 1024 * 1024)}\n`],
    ['FILE_SYNTAX', `${CONFIG}a: ${'['.repeat(5000)}\n`],
    ['FILE_SYNTAX', `${CONFIG}a: ${'{a: '.repeat(80)}${'}'.repeat(80)}\n`],
  ];
  for (const [code, text] of refused) {
    test(`${code}: ${JSON.stringify(text.replace(CONFIG, '').slice(0, 70))}`, () => {
      assert.ok(codes(text).includes(code), String(codes(text)));
    });
  }

  test('FILE_NOT_UTF8', () => {
    assert.deepEqual(codes(Buffer.concat([Buffer.from(CONFIG), Uint8Array.of(0xc3, 0x28)])), ['FILE_NOT_UTF8']);
    assert.deepEqual(codes(Buffer.concat([Buffer.from(`${CONFIG}a: `), Uint8Array.of(0xed, 0xa0, 0x80)])), [
      'FILE_NOT_UTF8',
    ]);
  });

  for (const [order, swapped] of [
    ['little', false],
    ['big', true],
  ] as const) {
    test(`FILE_NOT_UTF8: UTF-16 with a byte order mark, ${order}-endian`, () => {
      const bytes = Buffer.from(`\uFEFF${CONFIG}`, 'utf16le');
      if (swapped) bytes.swap16();
      assert.ok(mayHoldCoffer(bytes));
      assert.deepEqual(codes(bytes), ['FILE_NOT_UTF8']);
    });
  }

  test('a bomb of aliases costs nothing and is refused', () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(10)}]\n`,
    );
    const started = performance.now();
    assert.ok(codes(`${CONFIG}l0: &l0 x\n${levels.join('')}`).includes('DOCUMENT_ALIAS'));
    // What follows every alias would not come to an end.
    assert.ok(performance.now() - started < 60_000);
  });

  /** After the well-known cases of JSON suites that every parser must refuse; `%` is where the value stands. */
  const notJson = [
    ['[1,]', '[,1]', '[1,,2]', '[1 2]', '[1', '[', '[[]', '[1]]', '["x"', "['x']", '[#]', '[/**/]'],
    ['{"a":1,}', '{,"a":1}', '{"a" 1}', '{"a":}', '{a:1}', "{'a':1}", '{"a":1 "b":2}', '{"a"', '{1:1}', '{null:1}'],
    [
      '01',
      '-01',
      '+1',
      '1.',
      '.1',
      '-.1',
      '1e',
      '1e+',
      '0x1',
      '-',
      '--1',
      '1_0',
      'Infinity',
      'NaN',
      '1 000',
      '0e',
      '2.e3',
      '１',
    ],
    ['"', '"\\"', '"\\x00"', '"\\u12"', '"\\u12G4"', '"\\a"', '"\\', '"a\nb"', '"a\tb"', '"\x01"', '“a”'],
    ['tru', 'True', 'nulll', 'undefined', 'true false', '*', '&a 1', '!!str "a"', '// x\n1', '<a>', ''],
  ].flat();
  for (const value of notJson) {
    test(`FILE_SYNTAX: not JSON, ${JSON.stringify(value)}`, () => {
      const text = `{"apiVersion": "coffer.dev/v1", "kind": "Config", "spec": ${value}}`;
      assert.deepEqual(codes(text), ['FILE_SYNTAX']);
    });
  }
  for (const after of ['x', '{}', ',', ']', '}', '---', '# x', '\f', '\u00a0']) {
    test(`FILE_SYNTAX: after the JSON document, ${JSON.stringify(after)}`, () => {
      assert.deepEqual(codes(`{"apiVersion": "coffer.dev/v1", "kind": "Config"}${after}`), ['FILE_SYNTAX']);
    });
  }
  test('JSON: characters and duplicate names are refused as in YAML', () => {
    const json = (rest: string) => `{"apiVersion": "coffer.dev/v1", "kind": "Config", ${rest}}`;
    assert.deepEqual(codes(json('"a": 1, "\\u0061": 2')), ['DOCUMENT_DUPLICATE_KEY']);
    assert.deepEqual(codes(json('"a": "\\u0000"')), ['FILE_CHARACTER']);
    assert.deepEqual(codes(json('"a": "\\ud83d"')), ['FILE_CHARACTER']);
    assert.deepEqual(codes(json('"a": "\\ud83d\\ude00", "on": "y", "": 1')), []);
  });

  /** After the well-known cases of YAML suites that every parser must refuse. */
  const notYaml = [
    ['a: b: c', 'a: [b', 'a: {b: c', 'a: "b', "a: 'b", 'a: "b" c', "a: 'b' c", 'a: [b] c', 'a: {b: c} d'],
    ['a:\n\t- b', 'a:\n\tb: c', ' a: b\nc: d\n e: f', 'a:\n  b: c\n d: e', 'a: b\n  c: d', '- a\nb: c', 'a: b\n- c'],
    [
      'a: |3x\n  b',
      'a: |0\n  b',
      'a: |--\n  b',
      'a: > b\n  c',
      'a: "\\q"',
      'a: "\\x4"',
      'a: "\\u00g0"',
      'a: @b',
      'a: `b`',
    ],
    [
      'a: %b',
      'a: [b, , c]',
      'a: [-]\n]',
      'a: {b, c: d: e}',
      'a: "b\n---\nc"',
      "a: 'b\n...\nc'",
      '"a\n b": c',
      'a: *',
      'a: &',
    ],
    [
      'a: !<x y',
      'a: !x!y z',
      'a: &b &c d',
      'a: !!str !!str d',
      'a: - b',
      'a: [b\nc: d]',
      '[a\n]: b\nc',
      'a: |\n x\n  y\n z: 1\nw',
    ],
    ['a: b\u0001', 'a: "b\\', '}', ']'],
  ].flat();
  for (const value of notYaml) {
    test(`refused: not YAML, ${JSON.stringify(value)}`, () => {
      assert.notDeepEqual(codes(`${CONFIG}${value}\n`), []);
    });
  }
});

describe('what cannot be parsed says where, and never what', () => {
  test('file, line and column', () => {
    const [problem] = documentProblems(Buffer.from(`# x\n${CONFIG}a: [b\nc: d\n`), 'dir/a.yaml').problems;
    assert.equal(problem?.data.file, 'dir/a.yaml');
    assert.ok((problem?.data.line ?? 0) >= 4);
    assert.ok((problem?.data.column ?? 0) >= 1);
  });

  const secrets = [
    '!hunter2',
    '!hunter2!x y',
    '*hunter2',
    '&hunter2 &hunter3',
    '"\\hunter2"',
    '%hunter2',
    '[hunter2',
    '!!hunter2<>',
  ];
  for (const text of secrets) {
    test(`a password that is no YAML is not repeated: ${text}`, () => {
      const { problems } = documentProblems(Buffer.from(`${CONFIG}password: ${text}\n`), 'f');
      assert.ok(problems.length > 0);
      for (const { message, advice, stack } of problems) assert.ok(!`${message}${advice}${stack}`.includes('hunter2'));
    });
  }

  test('random junk is never anything but documents or CofferErrors', () => {
    const token = fc.constantFrom(
      ...[
        'apiVersion: coffer.dev/v1\n',
        'kind: Config\n',
        '---\n',
        '...\n',
        '- ',
        '? ',
        ': ',
        '{',
        '}',
        '[',
        ']',
        ',',
        '|',
        '>',
      ],
      ...[
        '"',
        "'",
        '\\',
        '&a ',
        '*a ',
        '!x ',
        '!!binary ',
        '%YAML 1.2\n',
        '#',
        ' ',
        '  ',
        '\t',
        '\n',
        '\r\n',
        '\r',
        'a',
        '\0',
        '\uFEFF',
        '\ud800',
      ],
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
        const { problems } = documentProblems(Buffer.from(tokens.join('')), 'f');
        for (const problem of problems) assert.ok(problem instanceof CofferError);
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        documentProblems(Buffer.concat([Buffer.from(CONFIG), bytes]), 'f');
      }),
    );
  });
});
