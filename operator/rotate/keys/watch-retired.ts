import type { Recipient } from '../../../core/keys/recipient.ts';
import type { KeyMemory } from './memory.ts';

const HOUR = 3_600_000;
/** So much of the time between two looks counts at most: a clock that jumps, or a rest of a year, is no time that anybody looked on. */
const MOST = 24 * HOUR;

/** How often it has to be looked at, in milliseconds. */
export const WATCH_INTERVAL = HOUR;

/**
 * Counts how long the operator has seen each key retired or revoked. The memory it is given comes back where there is nothing worth
 * writing.
 */
export function watched(
  memory: KeyMemory,
  listed: readonly Recipient[],
  held: ReadonlySet<string>,
  now: Date,
): KeyMemory {
  const retired: KeyMemory['retired'] = {};
  let isOther = false;
  for (const kid of retiredKeys(listed)) {
    const before = memory.retired[kid];
    if (before === undefined && !held.has(kid)) continue;
    const passed = before === undefined ? 0 : now.getTime() - Date.parse(before.at);
    // Else it would be written at every look.
    const isWorth = before === undefined || passed < 0 || passed >= HOUR;
    retired[kid] = isWorth ? { watched: watchedFor(memory, kid, now), at: now.toISOString() } : before;
    isOther ||= isWorth;
  }
  // One that is active again stays remembered: that it had been retired is what tells.
  for (const [kid, row] of Object.entries(memory.retired)) retired[kid] ??= row;
  return isOther ? { ...memory, retired } : memory;
}

/** How long, in milliseconds, until now. */
export function watchedFor({ retired }: KeyMemory, kid: string, now: Date): number {
  const row = retired[kid];
  if (row === undefined) return 0;
  return row.watched + Math.min(Math.max(now.getTime() - Date.parse(row.at), 0), MOST);
}

/** Keys that no keyring lists as active, and one at least as retired or revoked. */
export function retiredKeys(listed: readonly Recipient[]): Set<string> {
  const active = new Set(
    listed.flatMap(({ keys }) => keys.filter(({ status }) => status === 'active').map(({ kid }) => kid)),
  );
  const all = listed.flatMap(({ keys }) => keys.map(({ kid }) => kid));
  return new Set(all.filter((kid) => !active.has(kid)));
}
