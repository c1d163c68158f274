/**
 * A YAML file as the stretches of text that hold one document each. A `---` or `...` at the beginning of a line ends a
 * document wherever it stands (YAML 1.2, 9.1.2), so the file can be split before any of it is parsed: a document that
 * nobody can parse, a chart's template for example, does not take its neighbours with it.
 */
export interface Stretch {
  start: number;
  end: number;
  /** Whether `%YAML` or another directive belongs to it. */
  directives: boolean;
}

const MARKER = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/;

export function splitDocuments(text: string): Stretch[] {
  const stretches: Stretch[] = [];
  let directives = false;
  for (const { start, end } of betweenMarkers(text)) {
    const content = text.slice(start, end);
    if (holdsNothing(content)) {
      directives ||= /^%/m.test(content);
      continue;
    }
    stretches.push({ start, end, directives });
    directives = false;
  }
  return stretches;
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
