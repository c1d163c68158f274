/**
 * The writer's layout of data keys and stanzas under `keys`, made so that branches merge with plain git:
 * docs/format.md, "Data keys".
 *
 * Two branches that change different entries must never touch neighbouring lines here. So an entry's change touches
 * only the entry's own slot, and where a data key is dropped from another slot (its last value went), nothing but its
 * own lines go, and a comment line that stays separates it from whatever another branch may touch: in a slot, every
 * data key that the slot's entry no longer names is followed by one more comment line of that entry.
 */

import { field, type MappingNode, pairOf } from '../document/node.ts';
import { doubleQuoted, nameText } from '../document/scalar-text.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { FlowEditor } from './edit-flow.ts';
import { endOfSection, keySlots, type Slot, slotsInOrder } from './keys-slots.ts';
import type { TextEdits } from './text-edits.ts';

export interface NewDataKey {
  id: string;
  /** Recipient → `KID:b64u`. */
  stanzas: ReadonlyMap<string, string>;
}

/** What an operation did to a manifest's values. */
export interface KeysChange {
  /** The entries of `data` afterwards, in their order, with the data key that each names; undefined for plaintext. */
  entries: ReadonlyMap<string, string | undefined>;
  /** The entries that were sealed, set or removed. */
  touched: ReadonlySet<string>;
  /** The data key under which they were sealed. */
  added?: NewDataKey;
}

export function changeKeys(edits: TextEdits, manifest: Manifest, syntax: 'yaml' | 'json', change: KeysChange): void {
  const spec = field(manifest.document.root, 'spec');
  if (spec?.kind !== 'mapping') return;
  const keys = pairOf(spec, 'keys');
  if (spec.flow || (keys?.value.kind === 'mapping' && keys.value.flow && keys.value.pairs.length > 0)) {
    changeFlowKeys(new FlowEditor(edits, syntax, true), spec, change);
  } else if (keys?.value.kind === 'mapping' && !keys.value.flow) {
    const order = new Set([...manifest.entries.keys(), ...change.entries.keys()]);
    new BlockKeys(edits, spec, keys.value, change, [...order]).edit();
  } else {
    addSection(edits, spec, change);
  }
}

class BlockKeys {
  readonly #edits: TextEdits;
  readonly #spec: MappingNode;
  readonly #keys: MappingNode;
  readonly #change: KeysChange;
  readonly #named: ReadonlySet<string | undefined>;
  readonly #slots: Slot[];
  /** Each entry's own slot. */
  readonly #own: ReadonlyMap<string, Slot>;
  readonly #indent: string;
  readonly #swept = new Set<Slot>();

  /** `order`: the entries of `data`, removed ones included. */
  constructor(edits: TextEdits, spec: MappingNode, keys: MappingNode, change: KeysChange, order: readonly string[]) {
    this.#edits = edits;
    this.#spec = spec;
    this.#keys = keys;
    this.#change = change;
    this.#named = new Set(change.entries.values());
    this.#slots = keySlots(edits, keys);
    this.#own = slotsInOrder(this.#slots, order);
    this.#indent = edits.indentAt(keys.start);
  }

  edit(): void {
    const { added } = this.#change;
    const ids = this.#keys.pairs.map(({ key }) => (key.kind === 'scalar' ? key.text : ''));
    if (added === undefined && !ids.some((id) => this.#named.has(id))) {
      this.#removeSection();
      return;
    }
    for (const slot of this.#slots) {
      this.#dropUnnamed(slot);
      const { entry } = slot;
      if (entry !== undefined && this.#change.touched.has(entry) && slot === this.#own.get(entry)) {
        this.#editSlot(slot, entry);
      }
    }
    for (const [entry, lines] of this.#missingSlots()) this.#edits.insertLines(this.#placeOfSlot(entry), lines);
  }

  /** The entry under which the new data key is written: the first that was sealed. */
  get #home(): string | undefined {
    return [...this.#change.entries.keys()].find((entry) => this.#change.touched.has(entry));
  }

  #dropUnnamed({ parts }: Slot): void {
    for (const part of parts) {
      if (part.kind === 'data key' && !this.#named.has(part.id)) this.#edits.delete(part.start, part.end);
    }
  }

  /** The slot of an entry that was sealed, set or removed. */
  #editSlot(slot: Slot, entry: string): void {
    const { entries, added } = this.#change;
    const left = slot.parts.filter((part) => part.kind === 'comment' || this.#named.has(part.id));
    const others = left.filter((part) => part.kind === 'data key' && part.id !== entries.get(entry));
    for (const [index, part] of left.entries()) {
      const next = left[index + 1];
      if (others.includes(part) && next?.kind !== 'comment') this.#edits.insertLines(part.end, [this.#comment(entry)]);
    }
    if (others.length === 0) {
      // No data key is left for other entries alone: one comment line is enough, and none if the entry is gone.
      const comments = left.filter((part) => part.kind === 'comment');
      for (const { start, end } of entries.has(entry) ? comments.slice(1) : comments) this.#edits.delete(start, end);
    }
    if (entry === this.#home && added !== undefined) {
      this.#edits.insertLines(slot.end, dataKeyLines(added, this.#indent, this.#unit));
    }
    this.#sweepAround(slot);
  }

  /** Comments of entries that are gone, with nothing under them, go with a change right beside them. */
  #sweepAround(slot: Slot): void {
    const at = this.#slots.indexOf(slot);
    for (const beside of [this.#slots.slice(0, at).toReversed(), this.#slots.slice(at + 1)]) {
      for (const next of beside) {
        if (!this.#isStale(next)) break;
        if (!this.#swept.has(next)) for (const part of next.parts) this.#edits.delete(part.start, part.end);
        this.#swept.add(next);
      }
    }
  }

  #isStale(slot: Slot): boolean {
    const { entry, parts } = slot;
    if (entry === undefined || parts.some(({ kind }) => kind === 'data key')) return false;
    // The own slot of an entry that this change removes is `editSlot`'s.
    return slot !== this.#own.get(entry);
  }

  /** Slots for entries that were sealed and have none: the first gets the data key if the home has no slot. */
  #missingSlots(): [entry: string, lines: string[]][] {
    const { entries, touched, added } = this.#change;
    return [...entries.keys()]
      .filter((entry) => touched.has(entry) && this.#own.get(entry) === undefined)
      .map((entry) => {
        const keyLines =
          entry === this.#home && added !== undefined ? dataKeyLines(added, this.#indent, this.#unit) : [];
        return [entry, [this.#comment(entry), ...keyLines]];
      });
  }

  /** After the slot of the nearest entry before it in `data` that has one, else before the first that has. */
  #placeOfSlot(entry: string): number {
    const order = [...this.#change.entries.keys()];
    const at = order.indexOf(entry);
    for (const before of order.slice(0, at).toReversed()) {
      const slot = this.#own.get(before);
      if (slot !== undefined) return slot.end;
    }
    for (const after of order.slice(at + 1)) {
      const slot = this.#own.get(after);
      if (slot !== undefined) return slot.parts[0]?.start ?? slot.end;
    }
    return this.#edits.lines.endOf(this.#keys.end);
  }

  #comment(entry: string): string {
    return `${this.#indent}# ${entry}`;
  }

  get #unit(): string {
    const first = this.#keys.pairs[0]?.value;
    const inner = first?.kind === 'mapping' && !first.flow ? this.#edits.indentAt(first.start) : '';
    const unit = inner.slice(this.#indent.length);
    return unit === '' ? this.#indent.slice(this.#edits.indentAt(this.#spec.start).length) || '  ' : unit;
  }

  #removeSection(): void {
    const keysLine = pairOf(this.#spec, 'keys')?.key.start ?? this.#keys.start;
    const end = endOfSection(this.#edits, this.#keys, this.#indent);
    this.#edits.delete(this.#edits.lines.startOf(keysLine), end);
  }
}

/** A section where none was: a comment line for each entry that was sealed, the data key under the first. */
function addSection(edits: TextEdits, spec: MappingNode, { entries, touched, added }: KeysChange): void {
  if (added === undefined) return;
  const outer = edits.indentAt(spec.start);
  const unit = unitOf(edits, spec);
  const indent = outer + unit;
  const lines = sectionLines(
    [...entries.keys()].filter((entry) => touched.has(entry)),
    added,
    indent,
    unit,
  );
  const empty = pairOf(spec, 'keys');
  if (empty === undefined) {
    edits.insertLines(endOfContent(edits, spec, outer), [`${outer}keys:`, ...lines]);
    return;
  }
  // `keys: {}`: the braces go, the lines come after whatever else stands on the line.
  edits.delete(edits.afterColon(empty.key), empty.value.end);
  edits.insertLines(edits.lines.endOf(empty.value.end), lines);
}

/** The lines under `keys:` of a manifest whose entries were all sealed by one run. */
export function sectionLines(entries: readonly string[], added: NewDataKey, indent: string, unit: string): string[] {
  return entries.flatMap((entry, index) => [
    `${indent}# ${entry}`,
    ...(index === 0 ? dataKeyLines(added, indent, unit) : []),
  ]);
}

/** Recipients sorted by bytes; data key ids and stanzas in double quotes. */
export function dataKeyLines({ id, stanzas }: NewDataKey, indent: string, unit: string): string[] {
  const sorted = [...stanzas].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const stanzaLines = sorted.map(([name, stanza]) => `${indent}${unit}${nameText(name)}: ${doubleQuoted(stanza)}`);
  return [`${indent}${doubleQuoted(id)}:`, ...stanzaLines];
}

/** Where lines go that are appended to a block mapping: past comments of its depth, and past a block scalar's end. */
export function endOfContent(edits: TextEdits, node: MappingNode, indent: string): number {
  let end = edits.lines.endOf(node.end);
  const keepsBlankLines = endsWithKeptBlock(edits, node);
  for (let at = end; at < edits.text.length; at = edits.lines.endOf(at)) {
    const line = edits.text.slice(at, edits.lines.endOf(at));
    const comment = line.startsWith(indent) && /^[ \t]*#/.test(line.slice(indent.length));
    if (!comment && !(keepsBlankLines && line.trim() === '')) break;
    end = edits.lines.endOf(at);
  }
  return end;
}

/** Blank lines after `|+` are part of the value. */
function endsWithKeptBlock(edits: TextEdits, node: MappingNode): boolean {
  const last = node.pairs.at(-1)?.value;
  if (last?.kind === 'mapping') return endsWithKeptBlock(edits, last);
  const scalar = last?.kind === 'sequence' ? last.items.at(-1) : last;
  if (scalar?.kind !== 'scalar' || (scalar.style !== 'literal' && scalar.style !== 'folded')) return false;
  return /^[|>][0-9]?\+/.test(edits.text.slice(scalar.start, scalar.end));
}

/** One step of indentation, as the manifest has it. */
export function unitOf(edits: TextEdits, spec: MappingNode): string {
  const indent = edits.indentAt(spec.start);
  const nested = spec.pairs.map(({ value }) => value).find((value) => value.kind === 'mapping' && !value.flow);
  const unit = nested === undefined ? '' : edits.indentAt(nested.start).slice(indent.length);
  return unit === '' ? indent || '  ' : unit;
}

function changeFlowKeys(flow: FlowEditor, spec: MappingNode, { entries, added }: KeysChange): void {
  const keys = field(spec, 'keys');
  const section = new Map(added === undefined ? [] : [[added.id, sortedByName(added.stanzas)]]);
  if (keys?.kind !== 'mapping') {
    if (added !== undefined) flow.change(spec, new Set(), new Map([['keys', section]]));
    return;
  }
  const named = new Set(entries.values());
  const dropped = keys.pairs.flatMap(({ key }, index) =>
    key.kind === 'scalar' && !named.has(key.text) ? [index] : [],
  );
  if (dropped.length > 0 || added !== undefined) flow.change(keys, new Set(dropped), section);
}

function sortedByName(stanzas: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...stanzas].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
