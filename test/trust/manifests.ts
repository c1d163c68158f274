/** What of a manifest the tests change. Texts are well-formed; nothing in them opens. */
export interface Made {
  namespace?: string;
  name?: string;
  recipients?: readonly string[];
  /** Reader → its entries. */
  readers?: Readonly<Record<string, readonly string[]>>;
  /** Entry → sealed text. */
  data?: Readonly<Record<string, string>>;
  /** Data key id → recipient → stanza. */
  keys?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Lines under spec. */
  more?: readonly string[];
}

/** Sealed text: the data key's id is made of the first part, the ciphertext of the second. */
export function sealed(dataKey: string, value: string): string {
  return `CF[1:${dataKey.padEnd(32, '_')}:${value.padEnd(96, '_')}]`;
}

export function dataKeyId(dataKey: string): string {
  return dataKey.padEnd(32, '_');
}

export function stanza(kid: string, value = 's'): string {
  return `${kid.padEnd(32, '0')}:${value.padEnd(1558, 'A')}`;
}

export function manifest(made: Made = {}): string {
  const { namespace = 'payments', name = 'db', recipients = ['production'], readers = { api: ['password'] } } = made;
  const { data = { password: sealed('k1', 'v1') }, keys = {}, more = [] } = made;
  const rows = Object.entries(keys).flatMap(([id, stanzas]) => [
    `    ${id}:`,
    ...Object.entries(stanzas).map(([recipient, text]) => `      ${recipient}: "${text}"`),
  ]);
  return `${[
    'apiVersion: coffer.dev/v1',
    'kind: EncryptedSecret',
    `metadata: {namespace: ${namespace}, name: ${name}}`,
    'spec:',
    `  recipients: ${JSON.stringify(recipients)}`,
    '  readers:',
    ...Object.entries(readers).map(
      ([reader, entries]) => `    - {name: ${reader}, entries: ${JSON.stringify(entries)}}`,
    ),
    '  data:',
    ...Object.entries(data).map(([entry, text]) => `    ${entry}: ${JSON.stringify(text)}`),
    ...(rows.length === 0 ? [] : ['  keys:', ...rows]),
    ...more.map((line) => `  ${line}`),
  ].join('\n')}\n`;
}

/** A keyring file that says of keys what they are. */
export function recipientFile(name: string, keys: Readonly<Record<string, string>>): string {
  const rows = Object.entries(keys).map(
    ([kid, status]) => `    - {id: "${kid.padEnd(32, '0')}", status: ${status}, created: "2026-11-21T09:00:00Z"}`,
  );
  return `apiVersion: coffer.dev/v1\nkind: Recipient\nmetadata: {name: ${name}}\nspec:\n  type: cluster\n  keys:\n${rows.join('\n')}\n`;
}
