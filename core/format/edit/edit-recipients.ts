/** Who a manifest is sealed to: the list of recipients, and their stanzas (docs/format.md, "Data keys"). */
import { Bug } from '../../errors.ts';
import { field, type MappingNode, type Pair } from '../document/node.ts';
import { doubleQuoted, nameText } from '../document/scalar-text.ts';
import type { Manifest, ManifestFile } from '../manifest/manifest.ts';
import { manifestAt, recipientsOf, specOf } from '../manifest/manifest-nodes.ts';
import { FlowEditor } from './edit-flow.ts';
import { setNames } from './edit-list.ts';
import { replaceScalar } from './edit-scalar.ts';
import { namedDataKeys } from './sealing-run.ts';
import { TextEdits } from './text-edits.ts';

/** Data key id → recipient → `KID:b64u`. */
export type Stanzas = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Lists these recipients; those that are listed keep their places. Stanzas are not touched. */
export function setRecipients(file: ManifestFile, manifestIndex: number, names: readonly string[]): string {
  const edits = new TextEdits(file.text);
  setNames(edits, file.syntax, recipientsOf(manifestAt(file, manifestIndex)), names);
  return edits.result();
}

/** Adds or replaces stanzas, and removes all stanzas of some recipients. */
export function setStanzas(file: ManifestFile, manifestIndex: number, add: Stanzas, remove: Iterable<string>): string {
  const edits = new TextEdits(file.text);
  changeStanzas(edits, file.syntax, manifestAt(file, manifestIndex), add, new Set(remove));
  return edits.result();
}

/** `setRecipients` and `setStanzas` in one. */
export function readdress(
  file: ManifestFile,
  manifestIndex: number,
  names: readonly string[],
  add: Stanzas,
  remove: Iterable<string>,
): string {
  const manifest = manifestAt(file, manifestIndex);
  const edits = new TextEdits(file.text);
  setNames(edits, file.syntax, recipientsOf(manifest), names);
  changeStanzas(edits, file.syntax, manifest, add, new Set(remove));
  return edits.result();
}

export function changeStanzas(
  edits: TextEdits,
  syntax: 'yaml' | 'json',
  manifest: Manifest,
  add: Stanzas,
  remove: ReadonlySet<string>,
): void {
  const keys = field(specOf(manifest), 'keys');
  const named = new Set(namedDataKeys(manifest).values());
  const pairs = keys?.kind === 'mapping' ? keys.pairs : [];
  for (const { key, value } of pairs) {
    if (key.kind !== 'scalar' || value.kind !== 'mapping') continue;
    const wanted = new Map(add.get(key.text) ?? []);
    const removed = new Set<number>();
    for (const [index, { key: recipient, value: stanza }] of value.pairs.entries()) {
      if (recipient.kind !== 'scalar' || stanza.kind !== 'scalar') continue;
      const text = wanted.get(recipient.text);
      if (text !== undefined) replaceScalar(edits, stanza, text, value.flow);
      else if (remove.has(recipient.text)) removed.add(index);
      wanted.delete(recipient.text);
    }
    if (removed.size === value.pairs.length && wanted.size === 0) {
      if (named.has(key.text)) throw new Bug('a data key that nobody could open any more');
      continue; // another writer's leftover: `changeKeys` drops what no value names
    }
    if (removed.size === 0 && wanted.size === 0) continue;
    const sorted = new Map([...wanted].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    if (value.flow) new FlowEditor(edits, syntax, true).change(value, removed, sorted);
    else changeLines(edits, value, removed, sorted);
  }
}

/** In block style: stanzas stay sorted by the bytes of the recipient's name. */
function changeLines(
  edits: TextEdits,
  stanzas: MappingNode,
  removed: ReadonlySet<number>,
  added: ReadonlyMap<string, string>,
): void {
  for (const [index, { key, value }] of stanzas.pairs.entries()) {
    if (removed.has(index)) edits.deleteLines(key.start, value.end);
  }
  const indent = edits.indentAt(stanzas.start);
  const isAfter = (name: string) => (pair: Pair) => pair.key.kind === 'scalar' && pair.key.text > name;
  for (const [name, text] of added) {
    const next = stanzas.pairs.find(isAfter(name));
    const at = next === undefined ? edits.lines.endOf(stanzas.end) : edits.lines.startOf(next.key.start);
    edits.insertLines(at, [`${indent}${nameText(name)}: ${doubleQuoted(text)}`]);
  }
}
