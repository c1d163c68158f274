import { Bug } from '../errors.ts';

export type TemplateEncoding = 'plain' | 'uri' | 'json' | 'base64';

/** A piece of a template: text that stands as it is, or the place of an entry. */
export type TemplatePart =
  | { kind: 'text'; text: string }
  | { kind: 'entry'; entry: string; encoding: TemplateEncoding };

export function parseTemplate(_text: string): TemplatePart[] {
  throw new Bug('not written yet');
}

export function templateEntries(_parts: readonly TemplatePart[]): Set<string> {
  throw new Bug('not written yet');
}

export function renderTemplate(_parts: readonly TemplatePart[], _values: ReadonlyMap<string, Uint8Array>): Buffer {
  throw new Bug('not written yet');
}
