/** Replaces the value of an entry by sealed text: docs/format.md, "Edits". */

import type { ScalarNode } from '../document/node.ts';
import { doubleQuoted } from '../document/scalar-text.ts';
import type { TextEdits } from './text-edits.ts';

/**
 * Quotes stay as they are; plain text and block scalars become plain, or double-quoted in a flow collection. A tag goes
 * with the value that it described; comments stay. The text must not need escapes, as sealed text does not.
 */
export function replaceScalar(edits: TextEdits, node: ScalarNode, text: string, inFlow: boolean): void {
  const written = spelling(node, text, inFlow);
  const block = node.style === 'literal' || node.style === 'folded';
  // Of a block scalar, the header holds the new text, before the header's comment; the lines under it go.
  const head = block ? node.start + headerLength(edits.text.slice(node.start, node.end)) : node.end;
  const headLine = block ? endOfLine(edits.text, head) : node.end;
  const { tag } = node;
  if (tag !== undefined && edits.text.slice(tag.end, node.start).trim() === '') {
    edits.replace(tag.start, head, written);
  } else {
    if (tag !== undefined) edits.replace(tag.start, tag.end, written);
    edits.replace(node.start, head, tag === undefined ? written : '');
  }
  edits.delete(Math.min(headLine, node.end), node.end);
}

function spelling(node: ScalarNode, text: string, inFlow: boolean): string {
  if (node.style === 'single') return `'${text}'`;
  return node.style === 'double' || inFlow ? doubleQuoted(text) : text;
}

/** `|`, `>2-` and the like. */
function headerLength(block: string): number {
  return /^[|>][-+0-9]*/.exec(block)?.[0].length ?? 0;
}

function endOfLine(text: string, from: number): number {
  const offset = text.slice(from).search(/[\r\n]/);
  return offset < 0 ? text.length : from + offset;
}
