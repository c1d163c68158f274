/** The workloads that may read a manifest: docs/format.md, "A manifest". Stanzas and values are not touched. */

import { field, type MappingNode, pairOf, type SequenceNode } from '../document/node.ts';
import { nameText } from '../document/scalar-text.ts';
import type { ManifestFile } from '../manifest/manifest.ts';
import { manifestAt, readersOf, specOf } from '../manifest/manifest-nodes.ts';
import { FlowEditor, type FlowValue } from './edit-flow.ts';
import { changeItems, setNames } from './edit-list.ts';
import { TextEdits } from './text-edits.ts';

/** Gives a reader these entries (undefined: all of them) instead of what it had. */
export function setReader(
  file: ManifestFile,
  manifestIndex: number,
  reader: string,
  entries: readonly string[] | undefined,
): string {
  return new ReaderEditor(file, manifestIndex, reader).set(entries);
}

/** Takes all rows of a reader away. */
export function removeReader(file: ManifestFile, manifestIndex: number, reader: string): string {
  return new ReaderEditor(file, manifestIndex, reader).remove();
}

class ReaderEditor {
  readonly #edits: TextEdits;
  readonly #syntax: 'yaml' | 'json';
  readonly #spec: MappingNode;
  readonly #list: SequenceNode;
  readonly #reader: string;
  /** The positions of the reader's rows. */
  readonly #rows: number[];

  constructor(file: ManifestFile, manifestIndex: number, reader: string) {
    const manifest = manifestAt(file, manifestIndex);
    this.#edits = new TextEdits(file.text);
    this.#syntax = file.syntax;
    this.#spec = specOf(manifest);
    this.#list = readersOf(manifest);
    this.#reader = reader;
    this.#rows = this.#list.items.flatMap((row, index) => {
      const name = field(row, 'name');
      return name?.kind === 'scalar' && name.text === reader ? [index] : [];
    });
  }

  set(entries: readonly string[] | undefined): string {
    const [first, ...others] = this.#rows;
    const row = first === undefined ? undefined : this.#list.items[first];
    if (row?.kind === 'mapping') {
      this.#setEntries(row, entries);
      this.#change(new Set(others));
    } else {
      this.#change(new Set(), entries);
    }
    return this.#edits.result();
  }

  remove(): string {
    if (this.#rows.length > 0) this.#change(new Set(this.#rows));
    return this.#edits.result();
  }

  /** Removes rows; appends one for the reader where `entries` (or null: all) is given. */
  #change(removed: ReadonlySet<number>, ...appended: (readonly string[] | undefined)[]): void {
    if (removed.size === 0 && appended.length === 0) return;
    const list = this.#list;
    if (list.flow && (list.items.length > 0 || this.#spec.flow)) {
      const rows = appended.map((entries): FlowValue => rowValue(this.#reader, entries));
      new FlowEditor(this.#edits, this.#syntax).change(list, removed, rows);
    } else if (list.flow) {
      this.#fillEmptyList(appended[0]);
    } else if (removed.size === list.items.length && appended.length === 0) {
      const key = pairOf(this.#spec, 'readers')?.key;
      if (key !== undefined) this.#edits.replace(this.#edits.afterColon(key), list.end, ' []');
    } else {
      changeItems(
        this.#edits,
        list,
        removed,
        appended.map((entries) => rowText(this.#reader, entries)),
      );
    }
  }

  /** `readers: []` in block style: the row goes on the lines below. */
  #fillEmptyList(entries: readonly string[] | undefined): void {
    const key = pairOf(this.#spec, 'readers')?.key;
    if (key === undefined) return;
    const outer = this.#edits.indentAt(this.#spec.start);
    const indent = outer + (outer || '  ');
    const lines = rowText(this.#reader, entries).split('\n');
    this.#edits.delete(this.#edits.afterColon(key), this.#list.end);
    this.#edits.insertLines(
      this.#edits.lines.endOf(this.#list.end),
      lines.map((line, index) => `${indent}${index === 0 ? '- ' : '  '}${line}`),
    );
  }

  #setEntries(row: MappingNode, entries: readonly string[] | undefined): void {
    const index = row.pairs.findIndex(({ key }) => key.kind === 'scalar' && key.text === 'entries');
    const pair = row.pairs[index];
    if (entries === undefined) {
      if (pair !== undefined) this.#removeField(row, index);
    } else if (pair?.value.kind === 'sequence' && entries.length > 0) {
      setNames(this.#edits, this.#syntax, pair.value, entries);
    } else if (pair !== undefined) {
      this.#edits.replace(pair.value.start, pair.value.end, new FlowEditor(this.#edits, this.#syntax).text(entries));
    } else if (row.flow) {
      new FlowEditor(this.#edits, this.#syntax).change(row, new Set(), new Map([['entries', entries]]));
    } else {
      const line = `${this.#edits.indentAt(row.start)}${entriesText(entries)}`;
      this.#edits.insertLines(this.#edits.lines.endOf(row.end), [line]);
    }
  }

  #removeField(row: MappingNode, index: number): void {
    const pair = row.pairs[index];
    const next = row.pairs[index + 1];
    if (row.flow) new FlowEditor(this.#edits, this.#syntax).change(row, new Set([index]), new Map());
    else if (pair !== undefined && index > 0) this.#edits.deleteLines(pair.key.start, pair.value.end);
    // The first field stands behind the dash, which stays.
    else if (pair !== undefined && next !== undefined) this.#edits.delete(pair.key.start, next.key.start);
  }
}

/** The fields of a row in block style, a line each. */
export function rowText(reader: string, entries: Iterable<string> | undefined): string {
  const name = `name: ${nameText(reader)}`;
  return entries === undefined ? name : `${name}\n${entriesText(entries)}`;
}

function entriesText(entries: Iterable<string>): string {
  return `entries: [${[...entries].map(nameText).join(', ')}]`;
}

function rowValue(reader: string, entries: readonly string[] | undefined): FlowValue {
  return new Map<string, FlowValue>(
    entries === undefined
      ? [['name', reader]]
      : [
          ['name', reader],
          ['entries', entries],
        ],
  );
}
