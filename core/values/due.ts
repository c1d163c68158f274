import type { Manifest } from '../format/manifest/manifest.ts';
import { entriesOfRotation, isMade, previousOf } from '../format/manifest/rotation.ts';

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
 * When the former value of an entry goes. One that nothing keeps any more goes at once.
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
  const keep = keptFor(manifest, entry);
  return keep === undefined ? { due: now, isDue: true, reason: 'age' } : ofAge(since, keep, now);
}

/**
 * Milliseconds for which former values of an entry stay; undefined: not at all. What is not made by a rule of its own goes by that of the
 * entry whose public part it is, or else may have been set by a rotator, together with that rotator's entry.
 */
export function keptFor(manifest: Rotated, entry: string): number | undefined {
  const own = manifest.rotation.get(entry);
  if (own !== undefined && isMade(own)) return own.keepPrevious;
  const rules = [...manifest.rotation];
  const owner = rules.find(([name]) => name !== entry && entriesOfRotation(manifest, name).includes(entry));
  if (owner !== undefined) return owner[1].keepPrevious;
  const kept = rules.flatMap(([, { rotator, keepPrevious }]) => (rotator === undefined ? [] : (keepPrevious ?? [])));
  return kept.length === 0 ? undefined : Math.max(...kept);
}

function ofAge(since: Date | undefined, age: number | undefined, now: Date): Due {
  if (since === undefined || age === undefined) return { isDue: false };
  const due = new Date(since.getTime() + age);
  return due.getTime() <= now.getTime() ? { due, isDue: true, reason: 'age' } : { due, isDue: false };
}
