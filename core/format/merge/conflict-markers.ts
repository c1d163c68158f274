/** Git's conflict markers, in its default, diff3 and zdiff3 styles: read into the sides, and written. */
import { CofferError } from '../../errors.ts';
import { type Conflict, isConflict, type MergePart } from './line-merge.ts';

/** What stands behind the markers. */
export interface Labels {
  ours: string;
  base: string;
  theirs: string;
}

export interface MarkedText {
  ours: string;
  theirs: string;
  /** Undefined if any conflict does not say what was there before. */
  base: string | undefined;
  labels: Labels;
  conflicts: number;
}

type Side = 'both' | 'ours' | 'base' | 'theirs';

/** Every line with its line break. */
export function linesOf(text: string): string[] {
  return text.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? [];
}

/** Throws CONFLICT_MARKERS_MALFORMED where the markers do not pair. */
export function readMarkers(text: string): MarkedText {
  const sides = { ours: '', base: '', theirs: '' };
  const labels: Labels = { ours: '', base: '', theirs: '' };
  let [side, conflicts, bases]: [Side, number, number] = ['both', 0, 0];
  for (const [index, line] of linesOf(text).entries()) {
    const marker = /^(<{7}|\|{7}|={7}|>{7})(?: ([^\r\n]*))?[\r\n]*$/.exec(line);
    const next: Side | 'malformed' | undefined = marker === null ? undefined : sideAfter(marker[1] ?? '', side);
    if (next === 'malformed') throw malformed(index + 1);
    if (next === undefined) {
      for (const name of ['ours', 'base', 'theirs'] as const) {
        if (side === 'both' || side === name) sides[name] += line;
      }
      continue;
    }
    const label = marker?.[2] ?? '';
    if (next === 'ours') labels.ours ||= label;
    if (next === 'base') labels.base ||= label;
    if (next === 'both') labels.theirs ||= label;
    if (next === 'ours') conflicts++;
    if (next === 'base') bases++;
    side = next;
  }
  if (side !== 'both') throw malformed(linesOf(text).length);
  const { ours, base, theirs } = sides;
  return { ours, theirs, base: bases === conflicts ? base : undefined, labels, conflicts };
}

/** Undefined: the line is no marker where it stands. */
function sideAfter(marker: string, side: Side): Side | 'malformed' | undefined {
  switch (marker[0]) {
    case '<':
      return side === 'both' ? 'ours' : 'malformed';
    case '|':
      return side === 'ours' ? 'base' : undefined;
    case '=':
      return side === 'ours' || side === 'base' ? 'theirs' : undefined;
    default:
      return side === 'theirs' ? 'both' : side === 'both' ? undefined : 'malformed';
  }
}

function malformed(line: number): CofferError {
  return new CofferError('CONFLICT_MARKERS_MALFORMED', 'the conflict markers do not pair', {
    advice: 'Resolve this file by hand, or get the conflict back with `git checkout --merge FILE`.',
    data: { line },
  });
}

/** The merged text; a conflict says what was there before if that is known and `labels.base` is given. */
export function writeMarkers(parts: readonly MergePart[], labels: Labels): string {
  return parts.map((part) => (isConflict(part) ? marked(part, labels) : part.join(''))).join('');
}

function marked({ base, ours, theirs }: Conflict, labels: Labels): string {
  const lineBreak = /\r\n|\n|\r/.exec([...ours, ...theirs].join(''))?.[0] ?? '\n';
  const side = (lines: readonly string[]) => {
    const text = lines.join('');
    return text === '' || /[\r\n]$/.test(text) ? text : text + lineBreak;
  };
  const line = (marker: string, label: string) => `${label === '' ? marker : `${marker} ${label}`}${lineBreak}`;
  const middle = base === undefined || labels.base === '' ? '' : line('|||||||', labels.base) + side(base);
  return [
    line('<<<<<<<', labels.ours),
    side(ours),
    middle,
    line('=======', ''),
    side(theirs),
    line('>>>>>>>', labels.theirs),
  ].join('');
}
