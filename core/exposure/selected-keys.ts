import type { ExposureQuery } from './exposure.ts';
import type { HistoryFacts } from './history-facts.ts';
import { type KeysOfHistory, type LostKey, listedKeys, removedKeys, revokedOnLine } from './lost-keys.ts';
import type { Timeline } from './timeline.ts';

interface Parts {
  records: HistoryFacts;
  timeline: Timeline;
  keys: KeysOfHistory;
  /** Numbers of the current commits. */
  current: readonly number[];
}

/** The keys that a question is about, with those of groups that they open. */
export function selectedKeys({ select, instead }: ExposureQuery, parts: Parts): Map<string, LostKey> {
  const { records, timeline, keys, current } = parts;
  const direct = new Map<string, LostKey['why']>();
  if (select.kind === 'keys') for (const kid of select.kids) direct.set(kid, 'asked');
  if (select.kind === 'recipient') for (const kid of keys.kidsOf(select.name)) direct.set(kid, 'asked');
  if (select.kind === 'revoked') {
    const listed = listedKeys(records, current, instead);
    for (const kid of removedKeys(records, timeline, listed).keys()) direct.set(kid, 'removed');
    const said = saidBy(select.says ?? 'any', parts, listed);
    for (const kid of [...said, ...(select.known ?? [])]) direct.set(kid, 'revoked');
  }
  return keys.lost(direct);
}

function saidBy(
  says: 'any' | 'line' | 'current',
  { records, timeline, keys }: Parts,
  listed: ReadonlyMap<string, string>,
): Iterable<string> {
  if (says === 'any') return keys.revoked.keys();
  if (says === 'line') return revokedOnLine(records, timeline);
  return [...listed].flatMap(([kid, status]) => (status === 'revoked' ? [kid] : []));
}
