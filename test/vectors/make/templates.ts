const VALUES = {
  user: Buffer.from('ada'),
  password: Buffer.from('p"a\\s/s w\nör:d$$%'),
  injection: Buffer.from('${user}'),
  controls: Buffer.from('\u0000\u0001\b\t\f\u001f\u007f'),
  binary: Buffer.from('fffe', 'hex'),
  empty: Buffer.alloc(0),
};

export function templates(): object {
  return {
    values: Object.fromEntries(Object.entries(VALUES).map(([entry, value]) => [entry, value.toString('hex')])),
    mustRender: RENDERED.map(([template, rendered]) => ({ template, rendered: Buffer.from(rendered).toString('hex') })),
    mustRefuse: REFUSED.map(([why, code, template]) => ({ why, code, template })),
  };
}

const RENDERED: [string, string][] = [
  ['', ''],
  ['no entry', 'no entry'],
  ['${user}', 'ada'],
  ['<${user}${user}>', '<adaada>'],
  ['${empty}', ''],
  ['postgres://${user:uri}:${password:uri}@db', 'postgres://ada:p%22a%5Cs%2Fs%20w%0A%C3%B6r%3Ad%24%24%25@db'],
  ['{"p":"${password:json}"}', '{"p":"p\\"a\\\\s/s w\\nör:d$$%"}'],
  ['${controls:json}', '\\u0000\\u0001\\b\\t\\f\\u001f\u007f'],
  ['${password:base64}', Buffer.from(VALUES.password).toString('base64')],
  ['${injection}', '${user}'],
  ['$${user}', '${user}'],
  ['$$${user}', '$${user}'],
  ['$$$${user}', '$$${user}'],
  ['$${', '${'],
  ['$', '$'],
  ['$$', '$$'],
  ['$x $1 a$', '$x $1 a$'],
  ['}{${user}}', '}{ada}'],
  ['zoë 🙂 ${user}', 'zoë 🙂 ada'],
];

const MALFORMED = 'TEMPLATE_MALFORMED';
const REFUSED: [string, string, string][] = [
  ['not closed', MALFORMED, '${user'],
  ['nothing but the beginning', MALFORMED, 'a ${'],
  ['no entry', MALFORMED, '${}'],
  ['an unknown encoding', MALFORMED, '${user:hex}'],
  ['an encoding in upper case', MALFORMED, '${user:URI}'],
  ['an empty encoding', MALFORMED, '${user:}'],
  ['two encodings', MALFORMED, '${user:uri:json}'],
  ['a space', MALFORMED, '${ user }'],
  ['a default, as in a shell', MALFORMED, '${user:-ada}'],
  ['nested', MALFORMED, '${${user}}'],
  ['a name that no entry can have', MALFORMED, '${..}'],
  ['a name that no entry can have', MALFORMED, '${.}'],
  ['a letter that no entry can have', MALFORMED, '${usér}'],
  ['an unknown entry', 'TEMPLATE_UNKNOWN_ENTRY', '${nobody}'],
  ['not UTF-8', 'TEMPLATE_ENTRY_NOT_UTF8', '${binary}'],
  ['not UTF-8, whatever the encoding', 'TEMPLATE_ENTRY_NOT_UTF8', '${binary:base64}'],
];
