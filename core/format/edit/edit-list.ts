/** A list of names under a field: items come and go, the others keep their places and comments. */

import type { SequenceNode } from '../document/node.ts';
import { nameText } from '../document/scalar-text.ts';
import { FlowEditor } from './edit-flow.ts';
import type { TextEdits } from './text-edits.ts';

/** Makes the list hold these names: what is not among them goes, what is missing is put at the end. */
export function setNames(
  edits: TextEdits,
  syntax: 'yaml' | 'json',
  list: SequenceNode,
  names: readonly string[],
): void {
  const present = list.items.map((item) => (item.kind === 'scalar' ? item.text : ''));
  const removed = new Set(present.flatMap((name, index) => (names.includes(name) ? [] : [index])));
  const added = [...new Set(names)].filter((name) => !present.includes(name));
  if (removed.size === 0 && added.length === 0) return;
  if (list.flow) new FlowEditor(edits, syntax).change(list, removed, added);
  else changeItems(edits, list, removed, added.map(nameText));
}

/** The same for a list in block style and items that are laid out already, a line each after the dash. */
export function changeItems(
  edits: TextEdits,
  list: SequenceNode,
  removed: ReadonlySet<number>,
  added: readonly string[],
): void {
  for (const index of removed) {
    const item = list.items[index];
    if (item !== undefined) edits.deleteLines(item.start, item.end);
  }
  const indent = edits.indentAt(list.start);
  const lines = added.flatMap((item) =>
    item.split('\n').map((line, index) => `${indent}${index === 0 ? '- ' : '  '}${line}`),
  );
  edits.insertLines(edits.lines.endOf(list.end), lines);
}
