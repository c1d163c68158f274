import { SCHEMA_BASE } from '../../schemas/grammar.ts';
import { identityText, publicKeyText } from './key-texts.ts';
import type { Recipient, RecipientKey } from './recipient.ts';

/** How coffer writes a file of the keyring. One layout, so that a change of a key is a change of that key's lines. */

const SCHEMA_LINE = `# yaml-language-server: $schema=${SCHEMA_BASE}/recipient.schema.json`;

/** @returns YAML with a final newline. */
export function renderRecipient(recipient: Recipient): string {
  const { name, type, identity, keys, members, rotationEvery } = recipient;
  return `${[
    SCHEMA_LINE,
    'apiVersion: coffer.dev/v1',
    'kind: Recipient',
    `metadata: {name: ${nameText(name)}}`,
    'spec:',
    `  type: ${type}`,
    `  identity: ${identityText(identity)}`,
    ...(members.length === 0 ? [] : [`  members: [${members.map(nameText).join(', ')}]`]),
    keys.length === 0 ? '  keys: []' : '  keys:',
    ...newestFirst(keys).flatMap((key) => keyLines(key, '    ')),
    ...(rotationEvery === undefined ? [] : [`  rotation: {every: ${rotationEvery}}`]),
  ].join('\n')}\n`;
}

/** The item of `keys` that a key is, without line breaks. `indent`: before the dash. */
export function keyLines(key: RecipientKey, indent: string): string[] {
  const { kid, status, created, publicKey, endorsement, seeds } = key;
  return [
    `- id: "${kid}"`,
    `  status: ${status}`,
    `  created: "${created}"`,
    `  publicKey: ${publicKeyText(publicKey)}`,
    `  endorsement: "${endorsement}"`,
    ...(seeds.size === 0 ? [] : ['  seed:']),
    ...[...seeds].sort(byName).map(([member, { text }]) => `    ${nameText(member)}: "${text}"`),
  ].map((line) => indent + line);
}

/** The times are of one width, so that their texts sort as they do. */
function newestFirst(keys: readonly RecipientKey[]): RecipientKey[] {
  return keys.toSorted((one, other) => (one.created < other.created ? 1 : one.created > other.created ? -1 : 0));
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}

/** What YAML 1.1 or 1.2 reads as something else than a string must be quoted; nothing else that begins with a letter. */
const PLAIN_NAME = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z]/;

function nameText(name: string): string {
  return PLAIN_NAME.test(name) ? name : `"${name}"`;
}
