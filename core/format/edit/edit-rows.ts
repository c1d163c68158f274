/** Rows of what is sealed, `NAME: "KID:b64u"`: the stanzas of a data key, the seeds of a group's key. */

import type { MappingNode, Pair } from '../document/node.ts';
import { doubleQuoted, nameText } from '../document/scalar-text.ts';
import { FlowEditor } from './edit-flow.ts';
import { replaceScalar } from './edit-scalar.ts';
import type { TextEdits } from './text-edits.ts';

/** Adds or replaces rows and removes others, each a line of its own in block style. `nothingLeft`: no edit was made, since no row would remain. */
export function changeRows(
  edits: TextEdits,
  syntax: 'yaml' | 'json',
  rows: MappingNode,
  add: ReadonlyMap<string, string>,
  remove: ReadonlySet<string>,
): 'changed' | 'nothingLeft' {
  const wanted = new Map(add);
  const removed = new Set<number>();
  for (const [index, { key, value }] of rows.pairs.entries()) {
    if (key.kind !== 'scalar' || value.kind !== 'scalar') continue;
    const text = wanted.get(key.text);
    if (text !== undefined && text !== value.text) replaceScalar(edits, value, text, rows.flow);
    else if (text === undefined && remove.has(key.text)) removed.add(index);
    wanted.delete(key.text);
  }
  if (removed.size === rows.pairs.length && wanted.size === 0) return 'nothingLeft';
  if (removed.size === 0 && wanted.size === 0) return 'changed';
  const sorted = new Map([...wanted].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (rows.flow) new FlowEditor(edits, syntax, true).change(rows, removed, sorted);
  else changeLines(edits, rows, removed, sorted);
  return 'changed';
}

/** In block style: rows stay sorted by the bytes of the name. */
function changeLines(
  edits: TextEdits,
  rows: MappingNode,
  removed: ReadonlySet<number>,
  added: ReadonlyMap<string, string>,
): void {
  for (const [index, { key, value }] of rows.pairs.entries()) {
    if (removed.has(index)) edits.deleteLines(key.start, value.end);
  }
  const indent = edits.indentAt(rows.start);
  const isAfter = (name: string) => (pair: Pair) => pair.key.kind === 'scalar' && pair.key.text > name;
  for (const [name, text] of added) {
    const next = rows.pairs.find(isAfter(name));
    const at = next === undefined ? edits.lines.endOf(rows.end) : edits.lines.startOf(next.key.start);
    edits.insertLines(at, [`${indent}${nameText(name)}: ${doubleQuoted(text)}`]);
  }
}
