import type { Manifest } from '../format/manifest/manifest.ts';
import { type EntryRotation, entriesOfRotation, isMade, previousOf } from '../format/manifest/rotation.ts';

/** When an entry is to be made anew, or a former value goes. `due` absent: only when it is asked for, or exposed. */
export interface Due {
  due?: Date;
  isDue: boolean;
  reason?: 'exposed' | 'age' | 'missing';
}

type Rotated = Pick<Manifest, 'rotation'> & { entries: { has(entry: string): boolean } };

/**
 * @param seen.since when the entry's text was first seen; undefined: nobody knows, so its age makes it due at no time
 * @returns undefined where the manifest does not say that the entry is rotated
 */
export function dueOf(
  manifest: Rotated,
  entry: string,
  { since, now, exposed = false }: { since?: Date | undefined; now: Date; exposed?: boolean },
): Due | undefined {
  const rotation = manifest.rotation.get(entry);
  if (rotation === undefined) return undefined;
  if (!manifest.entries.has(entry)) {
    const isWanted = isMade(rotation) || rotation.every !== undefined;
    return isWanted ? { due: now, isDue: true, reason: 'missing' } : { isDue: false };
  }
  if (exposed) return { due: now, isDue: true, reason: 'exposed' };
  return ofAge(since, rotation.every, now);
}

/**
 * When the former value of an entry goes. One that its rule does not keep any more goes at once. A value that only bears such a name,
 * and no rule makes that entry, is no former value: it may be one that people still need.
 *
 * @param seen.since when the text of ENTRY.previous was first seen; undefined: nobody knows, so it stays
 * @returns undefined where there is no former value
 */
export function previousDueOf(
  manifest: Rotated,
  entry: string,
  { since, now }: { since?: Date | undefined; now: Date },
): Due | undefined {
  if (!manifest.entries.has(previousOf(entry))) return undefined;
  const rules = rulesOf(manifest, entry);
  if (rules.length === 0) return undefined;
  const keep = longest(rules);
  return keep === undefined ? { due: now, isDue: true, reason: 'age' } : ofAge(since, keep, now);
}

/** Milliseconds for which former values of an entry stay; undefined: not at all, or no rule brings any. */
export function keptFor(manifest: Rotated, entry: string): number | undefined {
  return longest(rulesOf(manifest, entry));
}

/**
 * By which the entry may be made. What is not made by a rule of its own goes by that of the entry whose public part it is, or else, where
 * it is listed, may be set by a rotator together with that rotator's entry.
 */
function rulesOf(manifest: Rotated, entry: string): EntryRotation[] {
  const own = manifest.rotation.get(entry);
  if (own !== undefined && isMade(own)) return [own];
  const rules = [...manifest.rotation];
  const owner = rules.find(([name]) => name !== entry && entriesOfRotation(manifest, name).includes(entry));
  if (owner !== undefined) return [owner[1]];
  return own === undefined ? [] : rules.flatMap(([, rule]) => (rule.rotator === undefined ? [] : [rule]));
}

function longest(rules: readonly EntryRotation[]): number | undefined {
  const kept = rules.flatMap(({ keepPrevious }) => keepPrevious ?? []);
  return kept.length === 0 ? undefined : Math.max(...kept);
}

function ofAge(since: Date | undefined, age: number | undefined, now: Date): Due {
  if (since === undefined || age === undefined) return { isDue: false };
  const due = new Date(since.getTime() + age);
  return due.getTime() <= now.getTime() ? { due, isDue: true, reason: 'age' } : { due, isDue: false };
}
