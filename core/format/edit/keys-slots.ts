/**
 * The lines under `keys` of a manifest in block style: docs/format.md, "Data keys". An entry's slot begins at its
 * comment line (`# ENTRY`) and goes on to the next entry's; data keys stand in slots.
 */
import { ENTRY } from '../../../schemas/grammar.ts';
import type { MappingNode } from '../document/node.ts';
import type { TextEdits } from './text-edits.ts';

/** A comment line, or the lines of a data key. The end is where the next line begins. */
export type SlotPart =
  | { kind: 'comment'; start: number; end: number }
  | { kind: 'data key'; id: string; start: number; end: number };

export interface Slot {
  /** Undefined for what stands before the first comment: another writer's data keys. */
  entry: string | undefined;
  parts: SlotPart[];
  /** Where lines go that are put at the end of the slot. */
  end: number;
}

const COMMENT = /^[ \t]*# ([^\s]+)[ \t]*$/;
const entryName = new RegExp(ENTRY);

/** The slots in the order of the lines; comments of several lines in a row that name one entry are one slot. */
export function keySlots(edits: TextEdits, keys: MappingNode): Slot[] {
  const parts = [...commentParts(edits, keys), ...dataKeyParts(edits, keys)].toSorted((a, b) => a.start - b.start);
  const slots: Slot[] = [{ entry: undefined, parts: [], end: edits.lines.startOf(keys.start) }];
  for (const { entry, ...part } of parts) {
    let slot = slots.at(-1);
    if (slot === undefined || (part.kind === 'comment' && slot.entry !== entry)) {
      slot = { entry, parts: [], end: part.end };
      slots.push(slot);
    }
    slot.parts.push(part);
    slot.end = part.end;
  }
  return slots;
}

/**
 * Each entry's own slot: those that stand in the order of `data`. A comment out of order is left from an entry of the
 * same name that was removed, and may be swept by a change that is no neighbour of the new one.
 */
export function slotsInOrder(slots: readonly Slot[], order: readonly string[]): Map<string, Slot> {
  const places = new Map(order.map((entry, index) => [entry, index]));
  // The longest increasing subsequence: for each slot, the longest chain that ends with it.
  let longest: Chain | undefined;
  const chains: Chain[] = [];
  for (const slot of slots) {
    const place = slot.entry === undefined ? undefined : places.get(slot.entry);
    if (place === undefined) continue;
    let before: Chain | undefined;
    for (const chain of chains) {
      if (chain.place < place && chain.length > (before?.length ?? 0)) before = chain;
    }
    const chain: Chain = { slot, place, before, length: (before?.length ?? 0) + 1 };
    chains.push(chain);
    if (chain.length > (longest?.length ?? 0)) longest = chain;
  }
  const own = new Map<string, Slot>();
  for (let chain = longest; chain !== undefined; chain = chain.before) own.set(chain.slot.entry ?? '', chain.slot);
  return own;
}

interface Chain {
  slot: Slot;
  place: number;
  before: Chain | undefined;
  length: number;
}

/** The end of the section: past comment lines that stand as deep as the data keys do. */
export function endOfSection(edits: TextEdits, node: MappingNode, indent: string): number {
  let end = edits.lines.endOf(node.end);
  for (let at = end; at < edits.text.length; at = edits.lines.endOf(at)) {
    const line = edits.text.slice(at, edits.lines.endOf(at));
    if (line.startsWith(`${indent}#`) || line.startsWith(`${indent} `)) end = edits.lines.endOf(at);
    else if (line.trim() !== '') break;
  }
  return end;
}

type Part = SlotPart & { entry?: string };

function* commentParts(edits: TextEdits, keys: MappingNode): Iterable<Part> {
  const end = endOfSection(edits, keys, edits.indentAt(keys.start));
  const within = keys.pairs.map(({ key, value }) => ({
    start: edits.lines.startOf(key.start),
    end: edits.lines.endOf(value.end),
  }));
  // Comments before the first data key belong to the section too: up to the line of `keys:` itself.
  let start = edits.lines.startOf(keys.start);
  while (start > 0) {
    const before = edits.lines.startOf(start - 1);
    if (!/^[ \t]*(?:#.*)?$/.test(edits.text.slice(before, start).trimEnd())) break;
    start = before;
  }
  for (let at = start; at < end; at = edits.lines.endOf(at)) {
    const lineEnd = edits.lines.endOf(at);
    if (within.some((span) => at >= span.start && at < span.end)) continue;
    const entry = COMMENT.exec(edits.text.slice(at, lineEnd).trimEnd())?.[1];
    if (entry !== undefined && entryName.test(entry)) yield { kind: 'comment', entry, start: at, end: lineEnd };
  }
}

function* dataKeyParts(edits: TextEdits, keys: MappingNode): Iterable<Part> {
  for (const { key, value } of keys.pairs) {
    if (key.kind !== 'scalar') continue;
    const [start, end] = [edits.lines.startOf(key.start), edits.lines.endOf(value.end)];
    yield { kind: 'data key', id: key.text, start, end };
  }
}
