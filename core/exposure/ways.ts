import type { Exposed, ExposedTo, ExposureQuery } from './exposure.ts';
import type { ValueFact } from './facts.ts';
import type { HistoryFacts } from './history-facts.ts';
import { listOf } from './list-of.ts';
import type { LostKey } from './lost-keys.ts';
import type { Timeline } from './timeline.ts';

/** A stanza to a lost key: one way to the data key. */
interface Way {
  kid: string;
  recipient: string;
  place: number;
}

/** How whoever is asked about came to know a value. */
export interface WaysToValue {
  /** Empty where it was asked for by its writer. */
  keys: ExposedTo[];
  /** Place in the timeline from which on all of one way was in the history. */
  from: number;
}

export interface WaysParts {
  facts: HistoryFacts;
  query: ExposureQuery;
  timeline: Timeline;
  lost: ReadonlyMap<string, LostKey>;
}

/** Who could read what: by the keys that are lost, or as its writer. */
export class Ways {
  /** Data key id → names that it was ever sealed to. */
  readonly sealedTo = new Map<string, Set<string>>();
  readonly #query: ExposureQuery;
  readonly #timeline: Timeline;
  readonly #lost: ReadonlyMap<string, LostKey>;
  readonly #facts: HistoryFacts;
  /** Data key id → stanzas to lost keys. */
  readonly #ways = new Map<string, Way[]>();
  /** Place → the youngest that its commit, or what it follows, claims to be. */
  #latest: number[] | undefined;

  constructor({ facts, query, timeline, lost }: WaysParts) {
    this.#query = query;
    this.#timeline = timeline;
    this.#lost = lost;
    this.#facts = facts;
    for (const [number, first] of timeline.first) this.#take(number, first);
  }

  /** Else nothing can be exposed, and nothing need be looked through. */
  get isAnyPossible(): boolean {
    const { kind } = this.#query.select;
    return this.#lost.size > 0 || kind === 'writer' || kind === 'all';
  }

  /** Undefined: it is not what is asked for. @param number of the fact @param written its place */
  to(number: number, { dataKeyId }: ValueFact, written: number): WaysToValue | undefined {
    const found = this.#to(number, dataKeyId, written);
    return found !== undefined && this.#isSince(found.from) ? found : undefined;
  }

  #to(number: number, dataKeyId: string, written: number): WaysToValue | undefined {
    const { select } = this.#query;
    if (select.kind === 'all') return { keys: [], from: written };
    if (select.kind === 'writer') {
      const own = (this.#timeline.bringers.get(number) ?? []).filter((place) =>
        select.isWriter(this.#timeline.order.commitAt(place)?.oid ?? ''),
      );
      return own[0] === undefined ? undefined : { keys: [], from: own[0] };
    }
    const ways = this.#ways.get(dataKeyId);
    if (ways === undefined) return undefined;
    const places = ways.map(({ place }) => Math.max(place, written));
    const keys = ways.map((way, index) => this.#exposedTo(way, places[index] ?? 0));
    return { keys, from: Math.min(...places) };
  }

  #exposedTo({ kid, recipient }: Way, place: number): Exposed['keys'][number] {
    const lost = this.#lost.get(kid);
    const from = this.#timeline.order.momentAt(place);
    if (lost?.through === undefined) return { kid, recipient: lost?.recipient || recipient, from };
    const member = this.#lost.get(lost.through);
    return { kid: lost.through, recipient: member?.recipient ?? '', group: { name: lost.recipient, kid }, from };
  }

  #take(number: number, first: number): void {
    const fact = this.#facts.facts[number];
    if (fact?.kind !== 'stanza') return;
    const { dataKeyId, kid, recipient } = fact;
    const names = this.sealedTo.get(dataKeyId) ?? new Set();
    if (recipient !== '') this.sealedTo.set(dataKeyId, names.add(recipient));
    const lost = this.#lost.get(kid);
    if (lost === undefined) return;
    const ways = listOf(this.#ways, dataKeyId);
    const place = Math.max(first, lost.since);
    const known = ways.find((way) => way.kid === kid);
    if (known === undefined) ways.push({ kid, recipient, place });
    else known.place = Math.min(known.place, place);
  }

  /** Places from which on a commit cannot be older than was asked: what it follows is not. */
  #isSince(place: number): boolean {
    const { since } = this.#query;
    if (since === undefined) return true;
    this.#latest ??= this.#latestClaims();
    return (this.#latest[place] ?? 0) >= since;
  }

  #latestClaims(): number[] {
    const latest = new Map<number, number>();
    return this.#timeline.order.numbers.map((number) => {
      const { time = 0, parents = [] } = this.#facts.commits[number] ?? {};
      const claim = Math.max(time, ...parents.map((parent) => latest.get(parent) ?? 0));
      latest.set(number, claim);
      return claim;
    });
  }
}
