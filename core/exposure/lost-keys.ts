import type { CommitOrder } from './commit-order.ts';
import { ownerIn } from './facts.ts';
import type { HistoryFacts } from './history-facts.ts';
import { listOf } from './list-of.ts';
import { effectOf, factsOfVersion, filesAt, type Timeline } from './timeline.ts';

/** A key that somebody else may have. */
export interface LostKey {
  kid: string;
  recipient: string;
  /**
   * `revoked`: the keyring says so, in any commit. `removed`: the keyring listed it and does so no more, and nothing says that this was in
   * good order. `asked`: somebody wants to know. `member`: it is a group's, and the key of a member opens it.
   */
  why: 'revoked' | 'removed' | 'asked' | 'member';
  /** Of `member`: which key opens it. */
  through?: string;
  /** Place in the timeline from which on it counts: of a group's, when its seed was first sealed to a lost key. */
  since: number;
}

/** What keyrings of the whole history say of keys. */
export class KeysOfHistory {
  /** Kid → its recipient's name; the last that was given to it counts. */
  readonly recipients = new Map<string, string>();
  /** Name → types that it ever had. */
  readonly types = new Map<string, Set<string>>();
  /** Group → members whose keys ever opened it. */
  readonly members = new Map<string, Set<string>>();
  /** Kid of a member → kids of groups, and when that was first there. */
  readonly #opens = new Map<string, { kid: string; group: string; place: number }[]>();
  /** Kid → when it was first called revoked. */
  readonly revoked = new Map<string, number>();
  readonly #records: HistoryFacts;
  readonly #timeline: Timeline;

  constructor(records: HistoryFacts, timeline: Timeline) {
    this.#records = records;
    this.#timeline = timeline;
    for (const [number, place] of timeline.first) this.#take(number, place);
  }

  /** The kids that were ever listed under this name, in the keyring or as a stanza's recipient. */
  kidsOf(name: string): Set<string> {
    const found = new Set<string>();
    for (const number of this.#timeline.first.keys()) {
      const fact = this.#records.facts[number];
      const owner = fact && ownerIn(fact);
      if (owner?.recipient === name) found.add(owner.kid);
    }
    return found;
  }

  /** With the keys of groups that they open. */
  lost(direct: ReadonlyMap<string, LostKey['why']>): Map<string, LostKey> {
    const lost = new Map<string, LostKey>();
    for (const [kid, why] of direct) lost.set(kid, { kid, recipient: this.recipients.get(kid) ?? '', why, since: 0 });
    // A map goes on to what is added while it is walked; what is found to be open earlier is walked again.
    for (const { kid, since } of lost.values()) {
      for (const opened of this.#opens.get(kid) ?? []) {
        const place = Math.max(since, opened.place);
        if ((lost.get(opened.kid)?.since ?? Number.POSITIVE_INFINITY) <= place) continue;
        lost.delete(opened.kid);
        lost.set(opened.kid, { kid: opened.kid, recipient: opened.group, why: 'member', through: kid, since: place });
      }
    }
    return lost;
  }

  #take(number: number, place: number): void {
    const fact = this.#records.facts[number];
    if (fact?.kind === 'key') {
      const { recipient, type, kid, status } = fact;
      this.recipients.set(kid, recipient);
      addTo(this.types, recipient, type);
      if (status === 'revoked') this.revoked.set(kid, Math.min(place, this.revoked.get(kid) ?? place));
    } else if (fact?.kind === 'seed') {
      const { group, groupKid: kid, member, memberKid } = fact;
      addTo(this.members, group, member);
      listOf(this.#opens, memberKid).push({ kid, group, place });
    }
  }
}

/**
 * Keys that the current line listed once and the current state (`listed`) does not list now. Removing a recipient revokes its keys, unless all of them were retired
 * before: that is how a decommissioning in good order is said. One key that is taken out of a file that stays was given up unless it
 * was retired. Kid → place in the timeline.
 */
export function removedKeys(
  records: HistoryFacts,
  order: CommitOrder,
  listed: ReadonlyMap<string, string>,
): Map<string, number> {
  const removed = new Map<string, number>();
  for (const [place, number] of order.numbers.entries()) {
    if (!order.isCurrent(place)) continue;
    const changes = records.commits[number]?.changes ?? [];
    for (const change of changes) {
      const before = keysIn(records, change.before);
      if (before.length === 0) continue;
      const after = keysIn(records, change.after);
      const isGone = (recipient: string) => after.every(({ recipient: other }) => other !== recipient);
      for (const { kid, recipient, status } of before) {
        if (listed.has(kid) || after.some((key) => key.kid === kid)) continue;
        const own = before.filter((key) => key.recipient === recipient);
        const isGivenUp = isGone(recipient) ? own.some((key) => key.status !== 'retired') : status !== 'retired';
        if (isGivenUp && !isMoved(records, number, kid)) removed.set(kid, place);
      }
    }
  }
  return removed;
}

/** Keys that a commit which the current ones reach calls revoked. */
export function revokedOnLine(records: HistoryFacts, order: CommitOrder): Set<string> {
  const revoked = new Set<string>();
  for (const [place, number] of order.numbers.entries()) {
    if (!order.isCurrent(place)) continue;
    for (const { after } of records.commits[number]?.changes ?? []) {
      for (const { kid, status } of keysIn(records, after)) if (status === 'revoked') revoked.add(kid);
    }
  }
  return revoked;
}

/** Another file of the same commit has it from now on: its recipient was renamed. */
function isMoved(records: HistoryFacts, commit: number, kid: string): boolean {
  const { brought } = effectOf(records, records.commits[commit]?.changes ?? []);
  return brought.some((number) => {
    const fact = records.facts[number];
    return fact?.kind === 'key' && fact.kid === kid;
  });
}

/** Kid → status, as the current state has it; of two, the later one. `instead`: as in ExposureQuery. */
export function listedKeys(
  records: HistoryFacts,
  current: readonly number[],
  instead: ReadonlyMap<number, number | undefined> = new Map(),
): Map<string, string> {
  const listed = new Map<string, string>();
  for (const commit of current) {
    const files = new Map([...filesAt(records, commit)].filter(([path]) => !instead.has(path)));
    for (const version of [...files.values(), ...instead.values()]) {
      for (const { kid, status } of keysIn(records, version)) {
        if (listed.get(kid) !== 'revoked') listed.set(kid, status);
      }
    }
  }
  return listed;
}

function keysIn(
  records: HistoryFacts,
  version: number | undefined,
): { kid: string; recipient: string; status: string }[] {
  if (version === undefined || records.versions[version]?.role !== 'keyring') return [];
  return factsOfVersion(records, version).flatMap((number) => {
    const fact = records.facts[number];
    return fact?.kind === 'key' ? [fact] : [];
  });
}

function addTo(sets: Map<string, Set<string>>, key: string, item: string): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([item]));
  else set.add(item);
}
