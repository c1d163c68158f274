import { newDataKey } from '../../../core/format/data-key.ts';
import { sealStanza } from '../../../core/format/stanza.ts';
import { sealValue } from '../../../core/format/value.ts';
import type { Cast } from './cast.ts';
import { opener, rendered } from './manifests.ts';
import { randomFrom } from './random.ts';

/** What an opener refuses, and what every reader does, opener or not. `code` is coffer's; `why` is for everybody. */
export function manifestRefusals(players: Cast): object[] {
  const { production, staging, alice } = players;
  const good = rendered({}, [production.sealing, staging.sealing], 'good');
  /** With one recipient: the rows that are refused before anything is opened. */
  const small = rendered({ recipients: ['production'] }, [production.sealing], 'small');
  const us = opener(production);
  const yaml = (rows: [why: string, code: string, text: string][]) =>
    rows.map(([why, code, text]) => ({ why, code, file: 'payments-db.yaml', text, opener: us }));
  return [
    ...yaml(moved(good)),
    ...yaml(stanzaRows(players, good)),
    ...yaml(valueRows(small)),
    ...yaml(strings(small)),
    ...yaml(syntax(small)),
    ...yaml(kinds(small)),
    ...yaml(fields(small)),
    ...yaml(templateRows(small)),
    { why: 'sealed to others', code: 'MANIFEST_NOT_FOR_US', file: 'a.yaml', text: good, opener: opener(alice) },
    {
      why: 'sealed to a key that is not held',
      code: 'STANZA_UNKNOWN_KEY',
      file: 'a.yaml',
      text: good,
      opener: { recipient: 'production', seed: staging.seed.toString('hex') },
    },
    ...bytes(small).map(([why, code, raw]) => ({ why, code, file: 'a.yaml', bytes: raw.toString('hex'), opener: us })),
    ...jsonRows().map(([why, code, text]) => ({ why, code, file: 'a.json', text, opener: us })),
  ];
}

type Rows = [why: string, code: string, text: string][];

/** The sealed text of an entry. */
function sealedOf(text: string, entry: string): string {
  return new RegExp(` {4}${entry}: (CF\\[.*\\])\n`).exec(text)?.[1] ?? '';
}

function moved(good: string): Rows {
  const [password, username] = [sealedOf(good, 'password'), sealedOf(good, 'username')];
  const swapped = good.replace(password, '@').replace(username, password).replace('@', username);
  return [
    ['a manifest with another name', 'STANZA_REFUSED', good.replace('name: payments-db', 'name: orders-db')],
    ['a manifest in another namespace', 'STANZA_REFUSED', good.replace('namespace: payments', 'namespace: billing')],
    ['a manifest with another scope', 'STANZA_REFUSED', good.replace('  readers:', '  scope: namespace\n  readers:')],
    ['two values exchanged', 'VALUE_REFUSED', swapped],
    ['one value under a new entry', 'VALUE_REFUSED', good.replace('    username:', '    user:')],
  ];
}

function stanzaRows({ production, staging }: Cast, good: string): Rows {
  const ours = / {6}production: (.*)\n/.exec(good)?.[1] ?? '';
  const theirs = / {6}staging: (.*)\n/.exec(good)?.[1] ?? '';
  const id = /CF\[1:(.{32}):/.exec(good)?.[1] ?? '';
  const here = { scope: 'strict', namespace: 'payments', name: 'payments-db' } as const;
  const other = newDataKey(randomFrom('another data key of a manifest'));
  const wrong = sealStanza({ id, key: other.key }, production.sealing, here, randomFrom('manifest two faces'));
  const otherValue = sealValue(Buffer.from('x'), other, here, 'password', randomFrom('value without stanza'));
  return [
    ['our stanza missing', 'STANZA_MISSING', good.replace(/ {6}production: .*\n/, '')],
    [
      'a value of a data key that has no stanzas',
      'STANZA_MISSING',
      good.replace(sealedOf(good, 'password'), otherValue),
    ],
    ['no keys at all', 'STANZA_MISSING', good.replace(/ {2}keys:\n.*$/s, '')],
    ["another recipient's stanza in place of ours", 'STANZA_UNKNOWN_KEY', good.replace(ours, theirs)],
    ['our stanza under the name of another', 'STANZA_UNLISTED', good.replace('      staging:', '      backup:')],
    [
      'a stanza for a recipient that is not listed',
      'STANZA_UNLISTED',
      good.replace('recipients: [production, staging]', 'recipients: [production]'),
    ],
    [
      'we are not listed, though there is a stanza',
      'STANZA_UNLISTED',
      good.replace('recipients: [production, staging]', 'recipients: [staging]'),
    ],
    ['a stanza that holds another data key', 'STANZA_WRONG_DATA_KEY', good.replace(ours, `"${wrong}"`)],
    [
      'two stanzas of one recipient',
      'DOCUMENT_DUPLICATE_KEY',
      good.replace(ours, `${ours}\n      production: ${theirs}`),
    ],
    ['one data key twice', 'DOCUMENT_DUPLICATE_KEY', `${good}    "${id}":\n      production: ${ours}\n`],
    ['a stanza in upper case', 'DOCUMENT_FIELD', good.replace(ours, ours.toUpperCase())],
    ['a stanza with padding', 'DOCUMENT_FIELD', good.replace(ours, `${ours.slice(0, -1)}="`)],
    ['a stanza that is cut off', 'DOCUMENT_FIELD', good.slice(0, -40).concat('"\n')],
    ['a data key id that is none', 'DOCUMENT_FIELD', good.replace(`    "${id}":`, '    id:')],
    [
      `a stanza for ${staging.recipient.name} in a list`,
      'DOCUMENT_FIELD',
      good.replace(`      staging: ${theirs}`, '      staging: [x]'),
    ],
  ];
}

function valueRows(good: string): Rows {
  const password = sealedOf(good, 'password');
  const plaintext: [string, string][] = [
    ['plaintext', 'hunter2'],
    ['plaintext, empty', '""'],
    ['plaintext in bytes', '!!binary aHVudGVyMg=='],
    ['sealed text with a space before', `" ${password}"`],
    ['the beginning of sealed text in lower case', `"${password.toLowerCase()}"`],
  ];
  const malformed: [string, string][] = [
    ['sealed text cut off', password.slice(0, -20)],
    ['sealed text of another version', password.replace('[1:', '[2:')],
    ['sealed text with something behind', `"${password} "`],
    ['ejson in a manifest', '"EJ[1:x:y:z]"'],
    ['only the beginning of sealed text', '"CF["'],
  ];
  const others: [string, string, string][] = [
    ['a number', 'DOCUMENT_AMBIGUOUS', '1234'],
    ['a boolean', 'DOCUMENT_AMBIGUOUS', 'true'],
    ['null', 'DOCUMENT_AMBIGUOUS', 'null'],
    ['nothing', 'DOCUMENT_AMBIGUOUS', ''],
    ['a list', 'MANIFEST_VALUE', '[a]'],
    ['a mapping', 'MANIFEST_VALUE', '{a: b}'],
    ['dirty base64', 'MANIFEST_BINARY', '!!binary aHVudGVyMh=='],
    ['base64 without padding', 'MANIFEST_BINARY', '!!binary aHVudGVyMg'],
  ];
  const put = (value: string) => good.replace(password, value);
  return [
    ...plaintext.map(([why, value]): Rows[number] => [`${why} for a value`, 'MANIFEST_PLAINTEXT', put(value)]),
    ...malformed.map(([why, value]): Rows[number] => [`${why} for a value`, 'VALUE_MALFORMED', put(value)]),
    ...others.map(([why, code, value]): Rows[number] => [`${why} for a value`, code, put(value)]),
  ];
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

function templateRows(good: string): Rows {
  const put = (row: string) => good.replace('  keys:\n', `  template:\n${row}  keys:\n`);
  return [
    ['a template with a bad placeholder', 'TEMPLATE_MALFORMED', put('    data:\n      url: "${password"\n')],
    ['a template of an unknown entry', 'TEMPLATE_UNKNOWN_ENTRY', put('    data:\n      url: "${nobody}"\n')],
    ['a template of a template', 'TEMPLATE_UNKNOWN_ENTRY', put('    data:\n      a: "${password}"\n      b: "${a}"\n')],
    ['a name in data and in the template', 'TEMPLATE_NAME_TAKEN', put('    data:\n      password: "${username}"\n')],
    ['a placeholder in a label', 'TEMPLATE_METADATA', put('    metadata: {labels: {a: "${password}"}}\n')],
    ['a reserved annotation', 'TEMPLATE_METADATA', put('    metadata: {annotations: {kubernetes.io/x: a}}\n')],
    [
      'a reserved annotation of a subdomain',
      'TEMPLATE_METADATA',
      put('    metadata: {annotations: {app.kubernetes.io/x: a}}\n'),
    ],
    ['a reserved label', 'TEMPLATE_METADATA', put('    metadata: {labels: {coffer.dev/x: a}}\n')],
  ];
}

function bytes(good: string): [string, string, Buffer][] {
  const at = good.indexOf('payments-db');
  const put = (raw: number[]) =>
    Buffer.concat([Buffer.from(good.slice(0, at)), Buffer.from(raw), Buffer.from(good.slice(at))]);
  return [
    ['a byte order mark', 'FILE_CHARACTER', Buffer.from(`\ufeff${good}`)],
    ['a NUL byte', 'FILE_CHARACTER', put([0])],
    ['a byte that is not UTF-8', 'FILE_NOT_UTF8', put([0xff])],
    ['an overlong encoding', 'FILE_NOT_UTF8', put([0xc1, 0xa1])],
    ['an unpaired surrogate in UTF-8', 'FILE_NOT_UTF8', put([0xed, 0xa0, 0x80])],
  ];
}

function jsonRows(): Rows {
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
