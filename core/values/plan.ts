import type { Manifest } from '../format/manifest/manifest.ts';
import { entriesOfRotation, entryOfPrevious, previousOf } from '../format/manifest/rotation.ts';
import { type Due, dueOf, previousDueOf } from './due.ts';

export interface PlanOptions {
  /** Absent: all that the manifest says how to rotate. */
  entry?: string | undefined;
  /** Only what is due. */
  onlyDue: boolean;
  /** Entry (ENTRY.previous too) → since when it has its text, as far as that is known. */
  since: ReadonlyMap<string, Date>;
  exposed?: ReadonlySet<string>;
  /** Whether an ENTRY.previous is what a rotation left. */
  isRotated: (previous: string) => boolean;
  now: Date;
}

/** What is to be done with the values of a manifest. */
export interface Plan {
  /** Entries that get a new value. One that was asked for by name is among them whether it can be made or not. */
  rotate: string[];
  /** Entries whose former value goes. */
  retire: string[];
  /** Entries whose former value would go, but that nobody knows to be one. */
  unproven: string[];
  /** Entries that are due, and not coffer's to make: `by` is the rotator, or `hand`. */
  left: { entry: string; by: string }[];
  /** Of each entry that `rotation` names. */
  due: ReadonlyMap<string, Due>;
}

export function planOf(manifest: Manifest, { entry, onlyDue, since, exposed, isRotated, now }: PlanOptions): Plan {
  const due = new Map<string, Due>();
  for (const name of manifest.rotation.keys()) {
    const seen = { since: since.get(name), now, exposed: exposed?.has(name) ?? false };
    due.set(name, dueOf(manifest, name, seen) ?? { isDue: false });
  }
  const isWanted = (name: string) => !onlyDue || due.get(name)?.isDue !== false;
  const asked = [...(entry === undefined ? manifest.rotation.keys() : [entry])].filter(isWanted);
  const rotate = asked.filter((name) => name === entry || manifest.rotation.get(name)?.generate !== undefined);
  const left = asked.filter((name) => {
    const rule = manifest.rotation.get(name);
    return !rotate.includes(name) && (rule?.rotator !== undefined || rule?.every !== undefined || onlyDue);
  });
  const former = formerDue(manifest, { since, now }).filter(
    (name) => (entry === undefined || isMadeBy(manifest, [entry], name)) && !isMadeBy(manifest, rotate, name),
  );
  return {
    rotate,
    retire: former.filter((name) => isRotated(previousOf(name))),
    unproven: former.filter((name) => !isRotated(previousOf(name))),
    left: left.map((name) => ({ entry: name, by: manifest.rotation.get(name)?.rotator ?? 'hand' })),
    due,
  };
}

/** Entries whose former value goes, those included of which the manifest says nothing (any more). */
export function formerDue(
  manifest: Pick<Manifest, 'rotation'> & { entries: { has(entry: string): boolean; keys(): Iterable<string> } },
  { since, now }: Pick<PlanOptions, 'since' | 'now'>,
): string[] {
  return [...manifest.entries.keys()].flatMap((name) => {
    const base = entryOfPrevious(name);
    if (base === undefined) return [];
    return previousDueOf(manifest, base, { since: since.get(name), now })?.isDue === true ? [base] : [];
  });
}

/** What is made anew takes care of its former value itself. */
function isMadeBy(manifest: Manifest, entries: readonly string[], name: string): boolean {
  return entries.some((entry) => entriesOfRotation(manifest, entry).includes(name));
}
