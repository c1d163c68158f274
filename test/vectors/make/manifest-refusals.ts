import { newDataKey } from '../../../core/format/sealed/data-key.ts';
import { sealStanza } from '../../../core/format/sealed/stanza.ts';
import { sealValue } from '../../../core/format/sealed/value.ts';
import { opener, rendered } from './base-manifest.ts';
import type { Cast } from './cast.ts';
import { byteRows, documentRows, jsonRows } from './document-refusals.ts';
import { randomFrom } from './random.ts';
import { type Rows, sealedOf } from './rows.ts';

/** What an opener refuses, and what every reader does, opener or not. `code` is coffer's; `why` is for everybody. */
export function manifestRefusals(players: Cast): object[] {
  const { production, staging, alice } = players;
  const good = rendered({}, [production.sealing, staging.sealing], 'good');
  /** With one recipient, for what is refused before anything is opened. */
  const small = rendered({ recipients: ['production'] }, [production.sealing], 'small');
  const us = opener(production);
  const files = (file: string, rows: Rows) => rows.map(([why, code, text]) => ({ why, code, file, text, opener: us }));
  return [
    ...files('payments-db.yaml', [...moved(good), ...stanzaRows(players, good)]),
    ...files('payments-db.yaml', [...valueRows(small), ...documentRows(small), ...templateRows(small)]),
    ...files('payments-db.json', jsonRows()),
    ...byteRows(small).map(([why, code, raw]) => ({
      why,
      code,
      file: 'a.yaml',
      bytes: raw.toString('hex'),
      opener: us,
    })),
    { why: 'sealed to others', code: 'MANIFEST_NOT_FOR_US', file: 'a.yaml', text: good, opener: opener(alice) },
    {
      why: 'sealed to a key that is not held',
      code: 'STANZA_UNKNOWN_KEY',
      file: 'a.yaml',
      text: good,
      opener: { recipient: 'production', seed: staging.seed.toString('hex') },
    },
  ];
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
