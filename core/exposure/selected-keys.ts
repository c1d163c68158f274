import type { CommitOrder } from './commit-order.ts';
import type { ExposureQuery, Selection } from './exposure.ts';
import type { HistoryFacts } from './history-facts.ts';
import { type KeysOfHistory, type LostKey, listedKeys, removedKeys, revokedOnLine } from './lost-keys.ts';

interface Parts {
  records: HistoryFacts;
  order: CommitOrder;
  /** Numbers of the current commits. */
  current: readonly number[];
}

/** The keys that a question is about, with those of groups that they open. */
export function selectedKeys(query: ExposureQuery, parts: Parts & { keys: KeysOfHistory }): Map<string, LostKey> {
  const { select } = query;
  const { keys } = parts;
  const direct = new Map<string, LostKey['why']>();
  if (select.kind === 'keys') for (const kid of select.kids) direct.set(kid, 'asked');
  if (select.kind === 'recipient') for (const kid of keys.kidsOf(select.name)) direct.set(kid, 'asked');
  if (select.kind === 'revoked') {
    for (const [kid, why] of lostOnLine(query, select, parts)) direct.set(kid, why);
    if (isByAnyCommit(select)) for (const kid of keys.revoked.keys()) direct.set(kid, 'revoked');
  }
  return keys.lost(direct);
}

/** Whether the current line alone tells that no key is lost: then nothing is exposed, and no history need be searched. */
export function isNothingLost(query: ExposureQuery, parts: Parts): boolean {
  const { select } = query;
  return select.kind === 'revoked' && !isByAnyCommit(select) && lostOnLine(query, select, parts).size === 0;
}

type Revoked = Selection & { kind: 'revoked' };

function isByAnyCommit({ says = 'any' }: Revoked): boolean {
  return says === 'any';
}

function lostOnLine({ instead }: ExposureQuery, select: Revoked, parts: Parts): Map<string, 'removed' | 'revoked'> {
  const { records, order, current } = parts;
  const listed = listedKeys(records, current, instead);
  const lost = new Map<string, 'removed' | 'revoked'>();
  for (const kid of removedKeys(records, order, listed).keys()) lost.set(kid, 'removed');
  if (select.says === 'line') for (const kid of revokedOnLine(records, order)) lost.set(kid, 'revoked');
  if (select.says === 'current') for (const [kid, status] of listed) if (status === 'revoked') lost.set(kid, 'revoked');
  for (const kid of select.known ?? []) lost.set(kid, 'revoked');
  return lost;
}
