/**
 * A YAML file as the stretches of text that hold one document each. A `---` or `...` at the beginning of a line ends a
 * document wherever it stands (YAML 1.2, 9.1.2), so the file can be split before any of it is parsed: a document that
 * nobody can parse, a chart's template for example, does not take its neighbours with it.
 */
export interface Stretch {
  start: number;
  end: number;
}

const MARKER = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/;

/** `directive`: where the first `%YAML` or its like stands, to whichever document it belongs. */
export function splitDocuments(text: string): { stretches: Stretch[]; directive: number | undefined } {
  const stretches: Stretch[] = [];
  let directive: number | undefined;
  for (const { start, end } of betweenMarkers(text)) {
    const content = text.slice(start, end);
    if (!holdsNothing(content)) {
      stretches.push({ start, end });
      continue;
    }
    const at = content.search(/^%/m);
    if (at !== -1) directive ??= start + at;
  }
  return { stretches, directive };
}

/** `---` opens the stretch that it stands in; `...` stands in none. */
function betweenMarkers(text: string): { start: number; end: number }[] {
  const parts: { start: number; end: number }[] = [];
  let start = 0;
  let at = 0;
  while (at < text.length) {
    const marker = MARKER.exec(text.slice(at, at + 4))?.[0];
    const next = lineEnd(text, at);
    if (marker !== undefined) {
      parts.push({ start, end: at });
      start = marker === '---' ? at : next;
    }
    at = next;
  }
  parts.push({ start, end: text.length });
  return parts;
}

function lineEnd(text: string, at: number): number {
  const lineBreak = /\r\n|\n|\r/g;
  lineBreak.lastIndex = at;
  const found = lineBreak.exec(text);
  return found === null ? text.length : found.index + found[0].length;
}

/** Blank lines, comments and directives only, without a `---`. */
function holdsNothing(content: string): boolean {
  return content.split(/\r\n|\n|\r/).every((line) => /^(?:%.*|[ \t]*(?:#.*)?)$/.test(line));
}
