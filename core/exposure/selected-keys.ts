import type { CommitOrder } from './commit-order.ts';
import type { ExposureQuery, Selection } from './exposure.ts';
import type { HistoryFacts } from './history-facts.ts';
import { type KeysOfHistory, type LostKey, listedKeys, removedKeys, revokedOnLine } from './lost-keys.ts';

/** Whether the current line tells all keys that are asked about: where it tells none, no history need be searched. */
export function isOfLineAlone(select: Selection): boolean {
  return select.kind === 'revoked' && (select.says ?? 'any') !== 'any';
}

/** Of a question about lost keys: those that the current line, or the question itself, calls lost. `current`: numbers of commits. */
export function lostOnLine(
  { select, instead }: ExposureQuery,
  { records, order, current }: { records: HistoryFacts; order: CommitOrder; current: readonly number[] },
): Map<string, 'removed' | 'revoked'> {
  const lost = new Map<string, 'removed' | 'revoked'>();
  if (select.kind !== 'revoked') return lost;
  const listed = listedKeys(records, current, instead);
  for (const kid of removedKeys(records, order, listed).keys()) lost.set(kid, 'removed');
  if (select.says === 'line') for (const kid of revokedOnLine(records, order)) lost.set(kid, 'revoked');
  if (select.says === 'current') for (const [kid, status] of listed) if (status === 'revoked') lost.set(kid, 'revoked');
  for (const kid of select.known ?? []) lost.set(kid, 'revoked');
  return lost;
}

/** The keys that a question is about, with those of groups that they open. `onLine`: what lostOnLine said. */
export function selectedKeys(
  select: Selection,
  onLine: ReadonlyMap<string, 'removed' | 'revoked'>,
  keys: KeysOfHistory,
): Map<string, LostKey> {
  const direct = new Map<string, LostKey['why']>(onLine);
  if (select.kind === 'keys') for (const kid of select.kids) direct.set(kid, 'asked');
  if (select.kind === 'recipient') for (const kid of keys.kidsOf(select.name)) direct.set(kid, 'asked');
  if (select.kind === 'revoked' && !isOfLineAlone(select)) {
    for (const kid of keys.revoked.keys()) direct.set(kid, 'revoked');
  }
  return keys.lost(direct);
}
