/** Members of flow collections come and go: `{a: b}` and `[a, b]` in YAML, and all of JSON. The layout found is kept. */

import type { MappingNode, SequenceNode, Span } from '../document/node.ts';
import { doubleQuoted, nameText } from '../document/scalar-text.ts';
import type { TextEdits } from './text-edits.ts';

/** A value to write: a name or other text, or members of a mapping. */
export type FlowValue = string | ReadonlyMap<string, FlowValue> | readonly FlowValue[];

type Collection = MappingNode | SequenceNode;

export class FlowEditor {
  readonly #edits: TextEdits;
  readonly #json: boolean;
  readonly #quoted: boolean;

  /** `quoted`: names too are written in double quotes, as those of data keys are. */
  constructor(edits: TextEdits, syntax: 'yaml' | 'json', quoted = false) {
    this.#edits = edits;
    this.#json = syntax === 'json';
    this.#quoted = quoted || this.#json;
  }

  /** Removes the members at these positions and appends others, in one go. */
  change(node: Collection, remove: ReadonlySet<number>, append: Exclude<FlowValue, string>): void {
    const members = memberSpans(node);
    const layout = this.#layoutOf(node, members);
    const added = this.#members(append, layout);
    if (members.length === remove.size) {
      this.#edits.replace(node.start + 1, node.end - 1, added.length === 0 ? '' : this.#filled(added, layout));
      return;
    }
    this.#remove(members, remove);
    const last = members.at(-1);
    if (last === undefined || added.length === 0) return;
    this.#edits.insert(last.end, layout.comma + added.join(layout.comma));
  }

  /** The text of a new value, laid out over lines where `indent` is given. */
  text(value: FlowValue, indent?: string, unit = '  '): string {
    return this.#value(value, { indent, unit, comma: ', ', colon: ': ' });
  }

  #remove(members: readonly Span[], remove: ReadonlySet<number>): void {
    let kept = false;
    for (const [index, member] of members.entries()) {
      if (!remove.has(index)) kept = true;
      else if (kept) this.#edits.delete(members[index - 1]?.end ?? member.start, member.end);
      else this.#edits.delete(member.start, members[index + 1]?.start ?? member.end);
    }
  }

  #filled(members: readonly string[], { indent, outer, comma }: Layout): string {
    const inner = members.join(comma);
    if (indent === undefined) return inner;
    const { lineBreak } = this.#edits;
    return `${lineBreak}${indent}${inner}${lineBreak}${outer ?? ''}`;
  }

  #members(value: Exclude<FlowValue, string>, layout: Layout): string[] {
    if (!(value instanceof Map)) return (value as readonly FlowValue[]).map((item) => this.#value(item, layout));
    return [...value].map(([key, member]) => `${this.#name(key)}${layout.colon}${this.#value(member, layout)}`);
  }

  #value(value: FlowValue, layout: Layout): string {
    if (typeof value === 'string') return this.#name(value);
    const { indent, unit } = layout;
    const deeper = { ...layout, indent: indent === undefined ? undefined : indent + unit, outer: indent };
    if (deeper.indent !== undefined) deeper.comma = `,${this.#edits.lineBreak}${deeper.indent}`;
    const members = this.#members(value, deeper);
    const inner = members.length === 0 ? '' : this.#filled(members, deeper);
    return value instanceof Map ? `{${inner}}` : `[${inner}]`;
  }

  #name(name: string): string {
    return this.#quoted ? doubleQuoted(name) : nameText(name);
  }

  /** How the collection's members are set: on lines of their own or on one, with spaces or without. */
  #layoutOf(node: Collection, members: readonly Span[]): Layout {
    const { text, lines, lineBreak } = this.#edits;
    const [first, second] = members;
    const colon = this.#colon(node);
    const outer = this.#edits.indentAt(node.start);
    if (first === undefined) {
      // An empty collection in a file that is written over several lines.
      if (!this.#json || !/[\r\n]/.test(text.trimEnd())) return { indent: undefined, unit: '', comma: ', ', colon };
      const unit = this.#unit();
      return { indent: outer + unit, unit, outer, comma: `,${lineBreak}${outer}${unit}`, colon };
    }
    if (lines.startOf(first.start) !== lines.startOf(node.start)) {
      const indent = this.#edits.indentAt(first.start);
      const unit = indent.slice(outer.length) || '  ';
      return { indent, unit, outer, comma: `,${lineBreak}${indent}`, colon };
    }
    const between = second === undefined ? undefined : text.slice(first.end, second.start);
    const compact = this.#json && colon === ':';
    const comma = between !== undefined && /^\s*,[ \t]*$/.test(between) ? between : compact ? ',' : ', ';
    return { indent: undefined, unit: '', comma, colon };
  }

  #colon(node: Collection): string {
    const pair = node.kind === 'mapping' ? node.pairs[0] : undefined;
    const found = pair === undefined ? undefined : this.#edits.text.slice(pair.key.end, pair.value.start);
    if (found !== undefined && /^ *: *$/.test(found)) return this.#json ? found : found.replace(/: *$/, ': ');
    return this.#json && !/"\s*: /.test(this.#edits.text) ? ':' : ': ';
  }

  /** The indentation of the document's first member. */
  #unit(): string {
    return /[\r\n]([ \t]+)\S/.exec(this.#edits.text)?.[1] ?? '  ';
  }
}

interface Layout {
  /** Of the members; undefined where they stand on one line. */
  indent: string | undefined;
  unit: string;
  /** Of the line with the closing bracket. */
  outer?: string | undefined;
  comma: string;
  colon: string;
}

function memberSpans(node: Collection): Span[] {
  if (node.kind === 'sequence') return node.items;
  return node.pairs.map(({ key, value }) => ({ start: key.start, end: Math.max(key.end, value.end) }));
}
