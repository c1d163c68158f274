import { type Rows, sealedOf } from './rows.ts';

/** What is refused in any coffer document, shown with a manifest. */
export function documentRows(good: string): Rows {
  return [...strings(good), ...syntax(good), ...kinds(good), ...fields(good)];
}

function strings(good: string): Rows {
  const name = (text: string) => good.replace('name: payments-db', `name: ${text}`);
  const ambiguous = [
    'on',
    'no',
    'y',
    'N',
    'True',
    '012',
    '0x1F',
    '0o17',
    '0b1',
    '1e3',
    '1_000',
    '12:30:45',
    '1.5',
    '.inf',
    '.nan',
  ];
  const dates = [
    '2026-01-01',
    '2026-01-01T00:00:00Z',
    '~',
    'null',
    'NULL',
    '=',
    '',
    '0B1',
    '1e400',
    '-1',
    '+1',
    '0.',
    '<<',
  ];
  return [
    ...[...ambiguous, ...dates].map((text): Rows[number] => [
      `a name that is not a string to every YAML: ${text === '' ? 'nothing' : text}`,
      'DOCUMENT_AMBIGUOUS',
      name(text),
    ]),
    ['an entry that is not a string to every YAML', 'DOCUMENT_AMBIGUOUS', good.replace('    username:', '    on:')],
    ['a recipient that is not a string to every YAML', 'DOCUMENT_AMBIGUOUS', good.replace('[production]', '[no]')],
    ['a name in upper case', 'DOCUMENT_FIELD', name('Payments')],
    ['a name that ends in a hyphen', 'DOCUMENT_FIELD', name('payments-')],
    ['a name with a slash', 'DOCUMENT_FIELD', name('a/b')],
    ['a name of two dots', 'DOCUMENT_FIELD', name('".."')],
    ['a name of 254 characters', 'DOCUMENT_FIELD', name(`${'a.'.repeat(126)}ab`)],
    ['a name with a space at the end', 'DOCUMENT_FIELD', name('"payments-db "')],
    ['a name with a letter that looks like another', 'DOCUMENT_FIELD', name('раyments')],
    [
      'a namespace of 64 characters',
      'DOCUMENT_FIELD',
      good.replace('namespace: payments', `namespace: ${'a'.repeat(64)}`),
    ],
    ['a namespace with a dot', 'DOCUMENT_FIELD', good.replace('namespace: payments', 'namespace: a.b')],
    ['no namespace', 'DOCUMENT_FIELD', good.replace('  namespace: payments\n', '')],
    ['an entry of one dot', 'DOCUMENT_FIELD', good.replace('    username:', '    ".":')],
    ['an entry that begins with two dots', 'DOCUMENT_FIELD', good.replace('    username:', '    ..data:')],
    ['an entry with a slash', 'DOCUMENT_FIELD', good.replace('    username:', '    a/b:')],
    ['an entry of 254 characters', 'DOCUMENT_FIELD', good.replace('    username:', `    ${'a'.repeat(254)}:`)],
    ['an empty entry', 'DOCUMENT_FIELD', good.replace('    username:', '    "":')],
  ];
}

function syntax(good: string): Rows {
  const password = sealedOf(good, 'password');
  return [
    ['an anchor', 'DOCUMENT_ANCHOR', good.replace('[production]', '&r [production]')],
    [
      'an alias',
      'DOCUMENT_ANCHOR',
      good.replace(/(namespace: )payments/, '$1&n payments').replace('  readers:', '  type: *n\n  readers:'),
    ],
    ['a merge key', 'DOCUMENT_MERGE_KEY', good.replace('spec:\n', 'spec:\n  <<: {type: Opaque}\n')],
    ['a tag', 'DOCUMENT_TAG', good.replace('name: payments-db', 'name: !!str payments-db')],
    ['a tag of its own', 'DOCUMENT_TAG', good.replace('name: payments-db', 'name: !x payments-db')],
    [
      'bytes where a name is expected',
      'DOCUMENT_FIELD',
      good.replace('name: payments-db', 'name: !!binary cGF5bWVudHMtZGI='),
    ],
    ['a directive', 'DOCUMENT_DIRECTIVE', `%YAML 1.2\n---\n${good}`],
    ["a directive of another's document", 'DOCUMENT_DIRECTIVE', `%YAML 1.2\n---\na: b\n---\n${good}`],
    [
      'an apiVersion that a merge key brings',
      'DOCUMENT_MERGE_KEY',
      good.replace('apiVersion: coffer.dev/v1\n', '<<: {apiVersion: coffer.dev/v1}\n'),
    ],
    ['one field twice', 'DOCUMENT_DUPLICATE_KEY', good.replace('spec:\n', 'spec:\n  type: a\n  type: b\n')],
    [
      'one entry twice',
      'DOCUMENT_DUPLICATE_KEY',
      good.replace('    username:', `    password: ${password}\n    username:`),
    ],
    [
      'one entry twice, written otherwise',
      'DOCUMENT_DUPLICATE_KEY',
      good.replace('    username:', `    "passwor\\u0064": ${password}\n    username:`),
    ],
    [
      'conflict markers',
      'FILE_CONFLICT_MARKERS',
      good.replace('  data:\n', '<<<<<<< HEAD\n  data:\n=======\n  data:\n>>>>>>> other\n'),
    ],
    ['no YAML', 'FILE_SYNTAX', good.replace('[production]', '[production')],
    ['a NUL', 'FILE_CHARACTER', good.replace('name: payments-db', 'name: "payments-db\\0"')],
    ['an unpaired surrogate, escaped', 'FILE_CHARACTER', good.replace('    username:', '    "\\ud800":')],
  ];
}

function kinds(good: string): Rows {
  const indented = good.replace(/^/gm, '  ').replace(/^ {2}# /, '# ');
  return [
    ['another version', 'DOCUMENT_VERSION', good.replace('coffer.dev/v1', 'coffer.dev/v2')],
    ['no version', 'DOCUMENT_VERSION', good.replace('coffer.dev/v1', 'coffer.dev/')],
    ['an unknown kind', 'DOCUMENT_KIND', good.replace('kind: EncryptedSecret', 'kind: SealedSecret')],
    ['no kind', 'DOCUMENT_KIND', good.replace('kind: EncryptedSecret\n', '')],
    [
      'within a List',
      'DOCUMENT_NESTED',
      `apiVersion: v1\nkind: List\nitems:\n- ${indented.replace(/^# .*\n {2}/, '')}`,
    ],
  ];
}

function fields(good: string): Rows {
  const spec = (line: string) => good.replace('spec:\n', `spec:\n  ${line}\n`);
  return [
    ['an unknown field of spec', 'DOCUMENT_FIELD', spec('owner: me')],
    ['an unknown field of the document', 'DOCUMENT_FIELD', good.replace('spec:\n', 'data: {}\nspec:\n')],
    [
      'an unknown field of metadata',
      'DOCUMENT_FIELD',
      good.replace('  name: payments-db', '  owner: me\n  name: payments-db'),
    ],
    ['an unknown scope', 'DOCUMENT_FIELD', spec('scope: world')],
    ['an unknown deletionPolicy', 'DOCUMENT_FIELD', spec('deletionPolicy: Keep')],
    ['namespaces without scope cluster', 'MANIFEST_NAMESPACES', spec('namespaces: [billing]')],
    ['the type of a token of a ServiceAccount', 'MANIFEST_TYPE', spec('type: kubernetes.io/service-account-token')],
    ['the type of a bootstrap token', 'MANIFEST_TYPE', spec('type: bootstrap.kubernetes.io/token')],
    ['no readers', 'DOCUMENT_FIELD', good.replace(/ {2}readers:\n {4}- .*\n/, '')],
    ['one recipient twice', 'DOCUMENT_FIELD', good.replace('[production]', '[production, production]')],
    ['no recipient', 'DOCUMENT_FIELD', good.replace('[production]', '[]')],
    [
      '65 recipients',
      'DOCUMENT_FIELD',
      good.replace('[production]', `[${Array.from({ length: 65 }, (_, n) => `r${n}`).join(', ')}]`),
    ],
    [
      '257 entries',
      'DOCUMENT_FIELD',
      good.replace('  data:\n', `  data:\n${Array.from({ length: 255 }, (_, n) => `    e${n}: x\n`).join('')}`),
    ],
  ];
}

/** Files that are no text. */
export function byteRows(good: string): [string, string, Buffer][] {
  const at = good.indexOf('payments-db');
  const put = (raw: number[]) =>
    Buffer.concat([Buffer.from(good.slice(0, at)), Buffer.from(raw), Buffer.from(good.slice(at))]);
  return [
    ['a byte order mark', 'FILE_CHARACTER', Buffer.from(`\ufeff${good}`)],
    ['a comment that ends sooner in YAML 1.1 (U+0085)', 'FILE_CHARACTER', Buffer.from(`${good}# \u0085other: field\n`)],
    ['a comment that ends sooner in YAML 1.1 (U+2028)', 'FILE_CHARACTER', Buffer.from(`${good}# \u2028other: field\n`)],
    [
      'a scalar of two lines in YAML 1.1',
      'FILE_CHARACTER',
      Buffer.from(good.replace('\n  data:', '\n  type: a\u2029b\n  data:')),
    ],
    ['a NUL byte', 'FILE_CHARACTER', put([0])],
    ['a byte that is not UTF-8', 'FILE_NOT_UTF8', put([0xff])],
    ['an overlong encoding', 'FILE_NOT_UTF8', put([0xc1, 0xa1])],
    ['an unpaired surrogate in UTF-8', 'FILE_NOT_UTF8', put([0xed, 0xa0, 0x80])],
  ];
}

export function jsonRows(): Rows {
  const json = (spec: string) =>
    `{"apiVersion": "coffer.dev/v1", "kind": "EncryptedSecret", "metadata": {"name": "a", "namespace": "b"}, "spec": {"recipients": ["production"], "readers": [], ${spec}}}`;
  return [
    ['a comma too many in JSON', 'FILE_SYNTAX', json('"data": {},')],
    ['a comment in JSON', 'FILE_SYNTAX', json('"data": {} /* x */')],
    ['two documents in JSON', 'FILE_SYNTAX', `${json('"data": {}')}\n${json('"data": {}')}`],
    ['one field twice in JSON', 'DOCUMENT_DUPLICATE_KEY', json('"data": {}, "data": {}')],
    ['one field twice in JSON, the second escaped', 'DOCUMENT_DUPLICATE_KEY', json('"data": {}, "d\\u0061ta": {}')],
    ['an unpaired surrogate in JSON', 'FILE_CHARACTER', json('"data": {"\\ud800": "x"}')],
    ['a number in JSON', 'DOCUMENT_AMBIGUOUS', json('"data": {"a": 1}')],
    ['plaintext in JSON', 'MANIFEST_PLAINTEXT', json('"data": {"a": "hunter2"}')],
  ];
}
