/** A new manifest in YAML, in the writer's layout: docs/format.md, "A manifest". */
import { API_VERSION, SCHEMA_BASE } from '../../../schemas/grammar.ts';
import { type Random, systemRandom } from '../../crypto/random.ts';
import { CofferError } from '../../errors.ts';
import { doubleQuoted, nameText } from '../document/scalar-text.ts';
import type { Manifest, Reader } from '../manifest/manifest.ts';
import { manifestAt } from '../manifest/manifest-nodes.ts';
import { readManifestFile } from '../manifest/read-manifest.ts';
import type { SealingKey } from '../sealed/stanza.ts';
import { rowText } from './edit-readers.ts';
import { sectionLines } from './keys-layout.ts';
import { checkNewEntry } from './seal.ts';
import { SealingRun } from './sealing-run.ts';

export interface NewManifest {
  namespace: string;
  name: string;
  recipients: readonly string[];
  readers: readonly Reader[];
  /** Absent: Opaque. */
  type?: string;
  /** Absent: strict. */
  scope?: 'strict' | 'namespace' | 'cluster';
  namespaces?: readonly string[];
  /** Plaintext; stays the caller's to wipe. */
  entries: ReadonlyMap<string, Uint8Array>;
}

/** Throws CofferError where a name, a type or a recipient is refused, with `namespace` and `name` as its place. */
export function renderManifest(
  wanted: NewManifest,
  keys: readonly SealingKey[],
  random: Random = systemRandom,
): string {
  const head = headLines(wanted);
  const manifest = checked(wanted, [...head, '  data: {}']);
  const names = [...wanted.entries.keys()];
  if (names.length === 0) return textOf([...head, '  data: {}']);
  for (const name of names) checkNewEntry(manifest, name);
  const run = new SealingRun(manifest, keys, random);
  const data = [...wanted.entries].map(([name, bytes]) => `    ${nameText(name)}: ${run.seal(name, bytes)}`);
  const section = sectionLines(names, run.finish(), '    ', '  ');
  return textOf([...head, '  data:', ...data, '  keys:', ...section]);
}

function headLines({ namespace, name, recipients, readers, type, scope, namespaces }: NewManifest): string[] {
  const rows = readers.flatMap(({ name: reader, entries }) =>
    rowText(reader, entries)
      .split('\n')
      .map((line, index) => `    ${index === 0 ? '- ' : '  '}${line}`),
  );
  return [
    `# yaml-language-server: $schema=${SCHEMA_BASE}/encrypted-secret.schema.json`,
    `apiVersion: ${API_VERSION}`,
    'kind: EncryptedSecret',
    'metadata:',
    `  name: ${nameText(name)}`,
    `  namespace: ${nameText(namespace)}`,
    'spec:',
    `  recipients: [${recipients.map(nameText).join(', ')}]`,
    ...(scope === undefined || scope === 'strict' ? [] : [`  scope: ${scope}`]),
    ...(namespaces === undefined ? [] : [`  namespaces: [${namespaces.map(doubleQuoted).join(', ')}]`]),
    ...(rows.length === 0 ? ['  readers: []'] : ['  readers:', ...rows]),
    ...(type === undefined || type === 'Opaque' ? [] : [`  type: ${typeText(type)}`]),
  ];
}

/** `kubernetes.io/tls` needs no quotes. */
function typeText(type: string): string {
  return /^[a-zA-Z][-.a-zA-Z0-9]*\/[-.a-zA-Z0-9]+$/.test(type) ? type : nameText(type);
}

/** The manifest as it is read again; there is no file yet, so a problem has no line. */
function checked({ namespace, name }: NewManifest, lines: readonly string[]): Manifest {
  try {
    return { ...manifestAt(readManifestFile(Buffer.from(textOf(lines)), ''), 0) };
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    const { code, message, advice, data, exit } = error;
    const place = data.path === undefined ? { namespace, name } : { namespace, name, path: data.path };
    throw new CofferError(code, message, { advice, data: place, exit });
  }
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
