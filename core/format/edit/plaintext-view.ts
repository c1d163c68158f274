/** A file of manifests with plaintext in place of sealed text, and the way back that changes no byte without need. */
import { Bug, CofferError } from '../../errors.ts';
import { field, nodeAt, pairOf, type ScalarNode } from '../document/node.ts';
import type { Manifest, ManifestFile } from '../manifest/manifest.ts';
import { type Binding, boundParts } from '../sealed/binding.ts';
import { type Place, plaintextScalar } from './plaintext-text.ts';
import { applyEdits, type Edit } from './text-edits.ts';

/** What was opened, by manifest and entry. */
export type OpenedValues = ReadonlyMap<Manifest, ReadonlyMap<string, Uint8Array>>;

export interface PlaintextView {
  text: string;
  /** Sealed entries that were not opened, or whose bytes the file's syntax cannot hold: they stand as sealed text. */
  stillSealed: { manifest: Manifest; entry: string; line: number }[];
}

/**
 * The file's text with plaintext for the opened values. `stanzas`: what becomes of `spec.keys`, which nobody reads:
 * `left out` for good, or `marked` by a comment line for which `restoreSealed` puts them back. JSON keeps them where
 * they are marked. The text is a string, which cannot be wiped: it lives as long as the process.
 */
export function plaintextView(
  file: ManifestFile,
  values: OpenedValues,
  options: { stanzas: 'left out' | 'marked' },
): PlaintextView {
  const edits: Edit[] = [];
  const stillSealed: PlaintextView['stillSealed'] = [];
  for (const manifest of file.manifests) {
    for (const [entry, { kind, line }] of manifest.entries) {
      if (kind !== 'sealed') continue;
      const value = values.get(manifest)?.get(entry);
      const node = scalarOf(manifest, entry);
      const text = value === undefined ? undefined : plaintextScalar(value, placeOf(file, manifest, node));
      if (text === undefined) stillSealed.push({ manifest, entry, line });
      else edits.push({ start: node.start, end: node.end, text });
    }
    edits.push(...hideStanzas(file, manifest, options.stanzas));
  }
  return { text: applyEdits(file.text, edits), stillSealed };
}

/**
 * The text after editing, as a file: where an entry still reads as the value that was opened, it gets its sealed text
 * back, byte for byte, and the stanzas return to their marks. What is plaintext then was changed, and waits to be
 * sealed. `read` parses the text as the editor's file and throws CofferError.
 *
 * Throws EDIT_NO_MANIFEST where a manifest is there but is none any more (plaintext that nothing would seal),
 * EDIT_STANZAS_LOST where a marking line is gone, EDIT_SEALED_MOVED where a value that was not opened would no
 * longer open under its new name, namespace, scope or entry, EDIT_RECIPIENTS where a value stays sealed to others than
 * the list now says.
 */
export function restoreSealed(
  before: ManifestFile,
  values: OpenedValues,
  edited: string,
  read: (text: string) => ManifestFile,
): ManifestFile {
  const withStanzas = read(showStanzas(before, edited));
  refuseLostManifests(before, withStanzas);
  const edits: Edit[] = [];
  for (const manifest of withStanzas.manifests) {
    const former = before.manifests.find((candidate) => isSameSecret(candidate, manifest));
    refuseLostStanzas(before.file, manifest, former);
    for (const [entry, now] of manifest.entries) {
      if (now.kind === 'sealed') refuseMoved(before, manifest, entry, now.text, now.line);
      else if (former !== undefined && isEqual(values.get(former)?.get(entry), now.bytes)) {
        edits.push(sealedAgain(before.text, former, withStanzas.text, manifest, entry));
      }
    }
  }
  const restored = edits.length === 0 ? withStanzas : read(applyEdits(withStanzas.text, edits));
  for (const manifest of restored.manifests) refuseOtherRecipients(before, manifest);
  return restored;
}

function isSameSecret(one: Manifest, other: Manifest): boolean {
  return one.namespace === other.namespace && one.name === other.name && one.binding.scope === other.binding.scope;
}

function isEqual(before: Uint8Array | undefined, after: Uint8Array): boolean {
  return before !== undefined && Buffer.compare(before, after) === 0;
}

function sealedAgain(formerText: string, former: Manifest, text: string, manifest: Manifest, entry: string): Edit {
  const sealed = scalarOf(former, entry);
  const node = scalarOf(manifest, entry);
  // The span of a block scalar takes in line ends that belong to the line and not to the value.
  const shown = text.slice(node.start, node.end).trimEnd();
  const start = node.tag?.start ?? node.start;
  return { start, end: node.start + shown.length, text: formerText.slice(sealed.start, sealed.end) };
}

function scalarOf(manifest: Manifest, entry: string): ScalarNode {
  const node = nodeAt(manifest.document.root, ['spec', 'data', entry]);
  if (node?.kind !== 'scalar') throw new Bug('an entry of a manifest that was read is a scalar');
  return node;
}

function placeOf(file: ManifestFile, manifest: Manifest, node: ScalarNode): Place {
  if (file.syntax === 'json') return { syntax: 'json' };
  const data = field(field(manifest.document.root, 'spec'), 'data');
  const { lines } = manifest.document;
  const rest = file.text.slice(node.end, lines.endOf(node.end));
  // A block scalar needs the line for itself, and a line end after it for its own last line end to count.
  const alone = node.style === 'plain' && /^\n$/.test(rest);
  if (data?.kind !== 'mapping' || data.flow || !alone) return { syntax: 'yaml', flow: true };
  return { syntax: 'yaml', flow: false, indent: lines.place(data.start).column + 1 };
}

/** `keys` of a manifest whose stanzas can be taken out as whole lines, with the comments that stand under it. */
function stanzaLines(file: ManifestFile, manifest: Manifest): Edit | undefined {
  const spec = field(manifest.document.root, 'spec');
  const keys = pairOf(spec, 'keys');
  const inBlock = spec?.kind === 'mapping' && !spec.flow && keys?.value.kind === 'mapping' && !keys.value.flow;
  if (file.syntax === 'json' || keys === undefined || !inBlock) return undefined;
  const start = manifest.document.lines.startOf(keys.key.start);
  const margin = file.text.slice(start, keys.key.start);
  if (!/^ *$/.test(margin)) return undefined;
  const comments = new RegExp(`^(?:[ \\t]*\\r?\\n|${margin} +#.*\\r?\\n?)+`).exec(file.text.slice(keys.value.end));
  const text = file.text.slice(start, keys.value.end + (comments?.[0].length ?? 0)).trimEnd();
  return { start, end: start + text.length, text };
}

function hideStanzas(file: ManifestFile, manifest: Manifest, how: 'left out' | 'marked'): Edit[] {
  const lines = stanzaLines(file, manifest);
  if (lines !== undefined) {
    const indent = /^[ \t]*/.exec(lines.text)?.[0] ?? '';
    const { start, end } = lines;
    if (how === 'marked') return [{ start, end, text: `${indent}${markOf(manifest)}` }];
    return [{ start, end: manifest.document.lines.endOf(end), text: '' }];
  }
  const keys = field(field(manifest.document.root, 'spec'), 'keys');
  return keys === undefined || how === 'marked' ? [] : [{ start: keys.start, end: keys.end, text: '{}' }];
}

function markOf({ namespace, name }: Manifest): string {
  return `# coffer: the stanzas of ${namespace}/${name} return here when you are done; leave this line as it is`;
}

function showStanzas(before: ManifestFile, edited: string): string {
  let text = edited;
  for (const manifest of before.manifests) {
    const lines = stanzaLines(before, manifest);
    if (lines === undefined) continue;
    const mark = markOf(manifest);
    const at = text.indexOf(mark);
    if (at === -1) continue;
    const start = text.lastIndexOf('\n', at) + 1;
    text = text.slice(0, start) + lines.text + text.slice(at + mark.length);
  }
  return text;
}

/** Stanzas that stand in the text but in no manifest belong to one that was broken: a mistyped `apiVersion`. */
function refuseLostManifests(before: ManifestFile, after: ManifestFile): void {
  const known = new Set(after.manifests.flatMap(({ stanzas }) => [...stanzas.keys()]));
  const lost = before.manifests
    .flatMap(({ stanzas }) => [...stanzas])
    .some(([id, stanza]) => !known.has(id) && [...stanza.values()].some(({ text }) => after.text.includes(text)));
  if (!lost && after.manifests.length > 0) return;
  throw new CofferError(
    'EDIT_NO_MANIFEST',
    'what you saved is no EncryptedSecret, so its plaintext would stay plaintext',
    {
      advice: 'Undo the change of apiVersion, kind or the structure. To remove the last secret, remove the file.',
      data: { file: before.file },
    },
  );
}

function refuseLostStanzas(file: string, manifest: Manifest, former: Manifest | undefined): void {
  if (former === undefined || former.stanzas.size === 0 || manifest.stanzas.size > 0) return;
  throw new CofferError('EDIT_STANZAS_LOST', 'the line that marks where the stanzas return is gone', {
    advice: 'Undo its removal. To remove a secret as a whole, remove its document from the file.',
    data: { file, line: manifest.line, namespace: manifest.namespace, name: manifest.name },
  });
}

/** An edit makes and removes no stanza of a value that it leaves sealed. */
function refuseOtherRecipients(before: ManifestFile, manifest: Manifest): void {
  const kept = new Set([...manifest.entries.values()].flatMap((entry) => (entry.kind === 'sealed' ? entry.text : [])));
  const wanted = new Set(manifest.recipients);
  const homes = before.manifests.filter(({ entries }) =>
    [...entries.values()].some((entry) => entry.kind === 'sealed' && kept.has(entry.text)),
  );
  const former = homes.find(({ recipients }) => wanted.symmetricDifference(new Set(recipients)).size > 0);
  if (former === undefined) return;
  const flags = [
    ...[...wanted].filter((name) => !former.recipients.includes(name)).map((name) => ` --add ${name}`),
    ...former.recipients.filter((name) => !wanted.has(name)).map((name) => ` --remove ${name}`),
  ];
  throw new CofferError(
    'EDIT_RECIPIENTS',
    'the recipients were changed, but the values stay sealed to the former ones',
    {
      advice: `Undo that change, and let \`coffer rewrap\` make it, with${flags.join('')}.`,
      data: {
        file: before.file,
        line: manifest.document.position(['spec', 'recipients']).line,
        namespace: manifest.namespace,
        name: manifest.name,
      },
    },
  );
}

/** A sealed value opens where it was sealed and nowhere else. */
function refuseMoved(before: ManifestFile, manifest: Manifest, entry: string, text: string, line: number): void {
  const homes = before.manifests.flatMap((home) =>
    [...home.entries]
      .filter(([, { kind, ...value }]) => kind === 'sealed' && 'text' in value && value.text === text)
      .map(([name]) => ({ name, binding: home.binding })),
  );
  if (
    homes.length === 0 ||
    homes.some(({ name, binding }) => name === entry && isSameBinding(binding, manifest.binding))
  )
    return;
  throw new CofferError(
    'EDIT_SEALED_MOVED',
    `the value of ${entry} stayed sealed, and would not open under its new name`,
    {
      advice: 'Undo the new name, namespace or scope, or edit with a key that opens the value.',
      data: { file: before.file, line, entry },
    },
  );
}

/** Whether what was sealed under one opens under the other. */
function isSameBinding(one: Binding, other: Binding): boolean {
  return boundParts(one).join(' ') === boundParts(other).join(' ');
}
