/**
 * A conflict between lines of `data`: where the two sides changed different entries, both changes are taken. Git does
 * not, because the lines are neighbours, or were appended at one place.
 */
import type { Conflict, MergePart } from './line-merge.ts';

/** A line of `data` that holds a whole sealed value. */
const ENTRY_LINE =
  /^[ \t]+("[-._a-zA-Z0-9]+"|'[-._a-zA-Z0-9]+'|[-._a-zA-Z0-9]+): +["']?CF\[1:[-_:a-zA-Z0-9]+\]["']?[ \t]*(?:#.*)?[\r\n]+$/;

/** The conflict as it was, if a line of it is not an entry's. */
export function mergeEntries(conflict: Conflict): MergePart[] {
  const { base: baseLines, ours: ourLines, theirs: theirLines } = conflict;
  const [base, ours, theirs] = [entryLines(baseLines), entryLines(ourLines), entryLines(theirLines)];
  if (base === undefined || ours === undefined || theirs === undefined) return [conflict];
  const parts: MergePart[] = [];
  for (const entry of new Set([...ours.keys(), ...theirs.keys(), ...base.keys()])) {
    const [was, our, their] = [base.get(entry), ours.get(entry), theirs.get(entry)];
    if (our === their || their === was) parts.push(lineOrNone(our));
    else if (our === was) parts.push(lineOrNone(their));
    else parts.push({ base: lineOrNone(was), ours: lineOrNone(our), theirs: lineOrNone(their) });
  }
  return parts;
}

function entryLines(lines: readonly string[] | undefined): Map<string, string> | undefined {
  const entries = new Map<string, string>();
  for (const line of lines ?? []) {
    const entry = ENTRY_LINE.exec(line)?.[1]?.replace(/^["']|["']$/g, '');
    if (entry === undefined || entries.has(entry)) return undefined;
    entries.set(entry, line);
  }
  return lines === undefined ? undefined : entries;
}

function lineOrNone(line: string | undefined): string[] {
  return line === undefined ? [] : [line];
}
