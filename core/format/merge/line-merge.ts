/** Three lists of lines become one, as git does it: what only one side changed is taken, what both changed is a conflict. */
import { diffLines, type Hunk } from './line-diff.ts';

/** `base` is undefined where it is not known (conflict markers of git's default style). */
export interface Conflict {
  base: string[] | undefined;
  ours: string[];
  theirs: string[];
}

/** Merged lines, and conflicts between them. */
export type MergePart = string[] | Conflict;

export function isConflict(part: MergePart): part is Conflict {
  return !Array.isArray(part);
}

/** Changes that touch are a conflict, even where no line was changed twice. */
export function mergeLines(base: readonly string[], ours: readonly string[], theirs: readonly string[]): MergePart[] {
  const our = diffLines(base, ours);
  const their = diffLines(base, theirs);
  const parts: MergePart[] = [];
  let at = 0;
  while (our.length > 0 || their.length > 0) {
    const group = nextGroup(our, their);
    parts.push(base.slice(at, group.start), resolved(base, ours, theirs, group));
    at = group.end;
  }
  parts.push(base.slice(at));
  return parts;
}

/** Without a base, every difference is a conflict. */
export function mergeTwoSides(ours: readonly string[], theirs: readonly string[]): MergePart[] {
  const parts: MergePart[] = [];
  let at = 0;
  for (const { start, end, otherStart, otherEnd } of diffLines(ours, theirs)) {
    parts.push(ours.slice(at, start));
    parts.push({ base: undefined, ours: ours.slice(start, end), theirs: theirs.slice(otherStart, otherEnd) });
    at = end;
  }
  parts.push(ours.slice(at));
  return parts;
}

/** Lines [start, end) of the base that both sides' hunks together reach, and those hunks. */
interface Group {
  start: number;
  end: number;
  our: Hunk[];
  their: Hunk[];
}

/** Takes the first hunk of either side, and every hunk that touches what was taken. */
function nextGroup(our: Hunk[], their: Hunk[]): Group {
  const start = Math.min(our[0]?.start ?? Infinity, their[0]?.start ?? Infinity);
  const group: Group = { start, end: start, our: [], their: [] };
  for (let grown = true; grown; ) {
    grown = false;
    for (const [hunks, taken] of [
      [our, group.our],
      [their, group.their],
    ] as const) {
      const [hunk] = hunks;
      if (hunk === undefined || hunk.start > group.end) continue;
      taken.push(hunk);
      hunks.shift();
      group.end = Math.max(group.end, hunk.end);
      grown = true;
    }
  }
  return group;
}

function resolved(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
  group: Group,
): MergePart {
  const our = sideOf(ours, group, group.our);
  const their = sideOf(theirs, group, group.their);
  if (group.their.length === 0 || equal(our, their)) return our;
  if (group.our.length === 0) return their;
  return { base: base.slice(group.start, group.end), ours: our, theirs: their };
}

/** What a side made of the group's lines. */
function sideOf(side: readonly string[], { start, end }: Group, hunks: readonly Hunk[]): string[] {
  const [first, last] = [hunks[0], hunks.at(-1)];
  if (first === undefined || last === undefined) return [];
  return side.slice(first.otherStart - (first.start - start), last.otherEnd + (end - last.end));
}

export function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
