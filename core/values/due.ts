import type { Manifest } from '../format/manifest/manifest.ts';
import { previousOf } from '../format/manifest/rotation.ts';

/** When an entry is to be made anew. `due` absent: only when it is asked for, or exposed. */
export interface Due {
  due?: Date;
  isDue: boolean;
  reason?: 'exposed' | 'age' | 'missing';
}

/**
 * @param seen.since when the entry's text was first seen; undefined: nobody knows, so its age makes it due at no time
 * @returns undefined where the manifest does not say that the entry is rotated
 */
export function dueOf(
  manifest: Pick<Manifest, 'rotation' | 'entries'>,
  entry: string,
  { since, now, exposed = false }: { since?: Date | undefined; now: Date; exposed?: boolean },
): Due | undefined {
  const rotation = manifest.rotation.get(entry);
  if (rotation === undefined) return undefined;
  if (!manifest.entries.has(entry)) return { due: now, isDue: true, reason: 'missing' };
  if (exposed) return { due: now, isDue: true, reason: 'exposed' };
  if (rotation.every === undefined || since === undefined) return { isDue: false };
  const due = new Date(since.getTime() + rotation.every);
  return due.getTime() <= now.getTime() ? { due, isDue: true, reason: 'age' } : { due, isDue: false };
}

/**
 * When the former value of an entry goes. A value that nothing keeps any more goes at once.
 *
 * @param seen.since when the text of ENTRY.previous was first seen; undefined: nobody knows, so it stays
 * @returns undefined where there is no former value
 */
export function previousDueOf(
  manifest: Pick<Manifest, 'rotation' | 'entries'>,
  entry: string,
  { since, now }: { since?: Date | undefined; now: Date },
): Due | undefined {
  if (!manifest.entries.has(previousOf(entry))) return undefined;
  const keep = manifest.rotation.get(entry)?.keepPrevious;
  if (keep === undefined) return { due: now, isDue: true, reason: 'age' };
  if (since === undefined) return { isDue: false };
  const due = new Date(since.getTime() + keep);
  return due.getTime() <= now.getTime() ? { due, isDue: true, reason: 'age' } : { due, isDue: false };
}
