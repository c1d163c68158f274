/**
 * Edits that leave every other byte of a text as it was (docs/format.md, "Edits"). Lines come and go whole, with the
 * text's own line break; a missing final line break stays missing.
 */
import { Bug } from '../../errors.ts';
import { Lines } from '../document/lines.ts';

/** Replaces what stands between two UTF-16 offsets. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** Applies edits that do not overlap, in any order; those that insert at one place keep their order. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (edit.start < at || edit.end < edit.start) throw new Bug('edits overlap');
    parts.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

/** The edits of one operation on a text. All offsets are the original's. */
export class TextEdits {
  /** The text, with a line break at its end in any case. */
  readonly text: string;
  readonly lines: Lines;
  readonly lineBreak: string;
  readonly #edits: Edit[] = [];
  readonly #endsWithoutBreak: boolean;

  constructor(text: string) {
    this.lineBreak = /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';
    this.#endsWithoutBreak = !/[\r\n]$/.test(text);
    this.text = this.#endsWithoutBreak ? text + this.lineBreak : text;
    this.lines = new Lines(this.text);
  }

  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  insert(offset: number, text: string): void {
    this.replace(offset, offset, text);
  }

  delete(start: number, end: number): void {
    if (end > start) this.replace(start, end, '');
  }

  /** Inserts whole lines before the line that begins at this offset. */
  insertLines(offset: number, lines: readonly string[]): void {
    if (lines.length > 0) this.insert(offset, lines.map((line) => line + this.lineBreak).join(''));
  }

  /** Deletes the lines from the one that holds `start` to the one that holds `end`. */
  deleteLines(start: number, end: number): void {
    this.delete(this.lines.startOf(start), this.lines.endOf(end));
  }

  /** The white space before what stands at this offset, as far as its line goes. */
  indentAt(offset: number): string {
    const line = this.text.slice(this.lines.startOf(offset), offset);
    // In `- name: x` the dash is part of what others are indented by.
    return /^[ \t]*(?:- +)*$/.test(line) ? line.replaceAll('-', ' ') : (/^[ \t]*/.exec(line)?.[0] ?? '');
  }

  /** Right after the colon of a key. */
  afterColon(key: { end: number }): number {
    return this.text.indexOf(':', key.end) + 1;
  }

  result(): string {
    const text = applyEdits(this.text, this.#edits);
    return this.#endsWithoutBreak && text.endsWith(this.lineBreak) ? text.slice(0, -this.lineBreak.length) : text;
  }
}
