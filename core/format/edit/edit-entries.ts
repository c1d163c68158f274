/** Entries of `data` whose sealed text comes, changes or goes: docs/format.md, "Edits". */
import { LIMITS } from '../../../schemas/grammar.ts';
import { Bug, CofferError } from '../../errors.ts';
import { type MappingNode, pairOf } from '../document/node.ts';
import { nameText } from '../document/scalar-text.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { dataOf, specOf } from '../manifest/manifest-nodes.ts';
import { entryOfPrevious } from '../manifest/rotation.ts';
import { FlowEditor } from './edit-flow.ts';
import { replaceScalar } from './edit-scalar.ts';
import { endOfContent } from './keys-layout.ts';
import type { TextEdits } from './text-edits.ts';

/** Entry → sealed text, or undefined where it goes. */
export type EntryTexts = ReadonlyMap<string, string | undefined>;

/**
 * What is there keeps its place; of what is new, ENTRY.previous comes right after its entry in block style, so that a rotation touches
 * no line but its neighbours', and the rest comes last, in the order given. An entry that is to go and is not there is left alone.
 * Names are the caller's to check. Throws ENTRY_TOO_MANY.
 */
export function changeEntries(edits: TextEdits, manifest: Manifest, syntax: 'yaml' | 'json', texts: EntryTexts): void {
  const data = dataOf(manifest);
  const removed = new Set<number>();
  for (const [index, { key, value }] of data.pairs.entries()) {
    if (key.kind !== 'scalar' || value.kind !== 'scalar' || !texts.has(key.text)) continue;
    const text = texts.get(key.text);
    if (text === undefined) removed.add(index);
    else replaceScalar(edits, value, text, data.flow);
  }
  const added = addedTo(manifest, texts);
  refuseTooMany(manifest, data.pairs.length - removed.size + added.size, added);
  if (data.flow) changeFlow(edits, manifest, data, syntax, removed, added);
  else changeLines(edits, manifest, data, removed, added);
}

/** The names in `data` after such a change, in their order. */
export function entriesAfter(manifest: Manifest, texts: EntryTexts): string[] {
  const added = addedTo(manifest, texts);
  const followers = followersOf(manifest, dataOf(manifest), added);
  const beside = new Set([...followers.values()].flatMap((names) => [...names.keys()]));
  const there = [...manifest.entries.keys()].flatMap((name) => [name, ...(followers.get(name)?.keys() ?? [])]);
  const kept = there.filter((name) => !texts.has(name) || texts.get(name) !== undefined);
  return [...kept, ...[...added.keys()].filter((name) => !beside.has(name))];
}

function addedTo(manifest: Manifest, texts: EntryTexts): Map<string, string> {
  const added = new Map<string, string>();
  for (const [entry, text] of texts) if (text !== undefined && !manifest.entries.has(entry)) added.set(entry, text);
  return added;
}

/** Entry that is there → what is put after it. Flow collections are only ever appended to. */
function followersOf(
  manifest: Manifest,
  data: MappingNode,
  added: ReadonlyMap<string, string>,
): Map<string, Map<string, string>> {
  const followers = new Map<string, Map<string, string>>();
  for (const [name, text] of added) {
    const base = entryOfPrevious(name);
    if (data.flow || base === undefined || !manifest.entries.has(base)) continue;
    followers.set(base, new Map([[name, text]]));
  }
  return followers;
}

function changeLines(
  edits: TextEdits,
  manifest: Manifest,
  data: MappingNode,
  removed: ReadonlySet<number>,
  added: ReadonlyMap<string, string>,
): void {
  const indent = edits.indentAt(data.start);
  const followers = followersOf(manifest, data, added);
  const last = new Map(added);
  for (const [index, { key, value }] of data.pairs.entries()) {
    if (removed.has(index)) edits.deleteLines(key.start, value.end);
    const names = key.kind === 'scalar' ? followers.get(key.text) : undefined;
    if (names === undefined) continue;
    edits.insertLines(edits.lines.endOf(value.end), entryLines(indent, names));
    for (const name of names.keys()) last.delete(name);
  }
  if (last.size > 0) edits.insertLines(endOfContent(edits, data, indent), entryLines(indent, last));
  else if (added.size === 0 && data.pairs.length === removed.size) edits.insert(keyEnd(edits, manifest), ' {}');
}

function changeFlow(
  edits: TextEdits,
  manifest: Manifest,
  data: MappingNode,
  syntax: 'yaml' | 'json',
  removed: ReadonlySet<number>,
  added: ReadonlyMap<string, string>,
): void {
  const spec = specOf(manifest);
  if (removed.size + added.size === 0) return;
  if (data.pairs.length > 0 || spec.flow) {
    new FlowEditor(edits, syntax).change(data, removed, added);
    return;
  }
  // `data: {}`: block style from the first entry on.
  const indent = edits.indentAt(spec.start);
  edits.delete(keyEnd(edits, manifest), data.end);
  edits.insertLines(edits.lines.endOf(data.end), entryLines(`${indent}${indent || '  '}`, added));
}

function entryLines(indent: string, texts: ReadonlyMap<string, string>): string[] {
  return [...texts].map(([entry, text]) => `${indent}${nameText(entry)}: ${text}`);
}

/** Right after `data:`. */
function keyEnd(edits: TextEdits, manifest: Manifest): number {
  const pair = pairOf(specOf(manifest), 'data');
  if (pair === undefined) throw new Bug('a manifest without data');
  return edits.afterColon(pair.key);
}

function refuseTooMany({ file, line }: Manifest, count: number, added: ReadonlyMap<string, string>): void {
  const [entry] = added.keys();
  if (entry === undefined || count <= LIMITS.entries) return;
  throw new CofferError('ENTRY_TOO_MANY', `A manifest has at most ${LIMITS.entries} entries.`, {
    advice: 'Put it into another manifest.',
    data: { file, line, entry },
  });
}
