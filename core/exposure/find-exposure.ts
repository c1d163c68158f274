import { Turns } from '../turns.ts';
import { type CurrentValue, CurrentValues } from './current-values.ts';
import type { Exposed, ExposedTo, ExposureQuery, ExposureReport, Living, Moment, Unproven } from './exposure.ts';
import type { HistoryFacts } from './history-facts.ts';
import { KeysOfHistory, type LostKey } from './lost-keys.ts';
import { listOf } from './order.ts';
import { type Gone, Renames } from './renames.ts';
import { selectedKeys } from './selected-keys.ts';
import { Successors, type ValueFact } from './successors.ts';
import { factsOfVersion, filesAt, Timeline } from './timeline.ts';

/**
 * What somebody could have read, by docs/format.md, "Exposure": a function of the history alone, so that everybody who has the
 * repository gets the same answer. `records` hold all that the heads reach (read-history.ts).
 */
export async function findExposure(records: HistoryFacts, query: ExposureQuery): Promise<ExposureReport> {
  const turns = new Turns(query.signal);
  const numbers = (oids: readonly string[]) => oids.flatMap((oid) => records.commitOf(oid) ?? []);
  const current = numbers(query.current);
  const heads = numbers(query.heads.map(({ commit }) => commit));
  const timeline = await Timeline.read(records, { heads, current }, turns);
  return await new Search({ records, query, timeline, current }).report(turns);
}

/** A stanza to a lost key: one way to the data key. */
interface Way {
  kid: string;
  recipient: string;
  place: number;
}

interface SearchParts {
  records: HistoryFacts;
  query: ExposureQuery;
  timeline: Timeline;
  current: readonly number[];
}

class Search {
  readonly #records: HistoryFacts;
  readonly #query: ExposureQuery;
  readonly #timeline: Timeline;
  readonly #keys: KeysOfHistory;
  readonly #current: CurrentValues;
  readonly #currentCommits: readonly number[];
  readonly #successors: Successors;
  readonly #renames: Renames;
  readonly #lost: ReadonlyMap<string, LostKey>;
  /** Data key id → stanzas to lost keys. */
  readonly #ways = new Map<string, Way[]>();
  readonly #unproven: Unproven[] = [];
  /** By path and fact. */
  readonly #living = new Map<string, Living>();

  constructor({ records, query, timeline, current }: SearchParts) {
    this.#records = records;
    this.#query = query;
    this.#currentCommits = current;
    this.#timeline = timeline;
    this.#keys = new KeysOfHistory(records, this.#timeline);
    this.#current = new CurrentValues(records, this.#currentCommits, query.instead ?? new Map());
    this.#renames = new Renames(records, this.#timeline, this.#current);
    this.#lost = selectedKeys(query, { records, timeline, keys: this.#keys, current });
    this.#successors = new Successors(this.#current, this.#keys, this.#readStanzas());
  }

  async report(turns: Turns): Promise<ExposureReport> {
    const { order } = this.#timeline;
    const readable = new Set<string>();
    for (const number of this.#timeline.first.keys()) {
      const fact = this.#valueAt(number);
      if (fact !== undefined && fact[1] !== '') readable.add(fact[4]);
    }
    const values = new Map<number, Exposed>();
    for (const [number, place] of this.#isAnythingLost() ? this.#valuesInOrder() : []) {
      await turns.next();
      const fact = this.#valueAt(number);
      // Of a text that stood in a manifest, other places (a comment, a file with conflict markers) say nothing more.
      if (fact === undefined || (fact[1] === '' && readable.has(fact[4]))) continue;
      const exposed = this.#exposed(number, fact, place);
      if (exposed !== undefined) values.set(number, exposed);
    }
    this.#noteBranches(values);
    return {
      values: [...values.values()],
      living: [...this.#living.values()],
      unproven: this.#unproven,
      keys: Array.from(this.#lost.values(), ({ since, ...key }) => ({ ...key, ...this.#sinceOf(key.kid, since) })),
      commits: order.length,
      gaps: order.flatMap((number) => {
        const { oid = '', gap } = this.#records.commits[number] ?? {};
        return gap === undefined ? [] : [{ commit: oid, code: gap }];
      }),
      ejsonFiles: this.#ejsonFiles(),
    };
  }

  /** Else nothing can be exposed, and nothing need be looked through. */
  #isAnythingLost(): boolean {
    const { kind } = this.#query.select;
    return this.#lost.size > 0 || kind === 'writer' || kind === 'all';
  }

  /** By name, then by age: the same whatever was read first. */
  #valuesInOrder(): [number: number, place: number][] {
    const keyOf = (number: number) => JSON.stringify(this.#records.facts[number]);
    const values = [...this.#timeline.first].filter(([number]) => this.#valueAt(number) !== undefined);
    const keyed = values.map(([number, place]) => {
      const [, namespace, name, entry] = this.#valueAt(number) ?? [];
      return { number, place, key: JSON.stringify([namespace, name, entry]) };
    });
    return keyed
      .sort((a, b) => compare(a.key, b.key) || a.place - b.place || compare(keyOf(a.number), keyOf(b.number)))
      .map(({ number, place }) => [number, place]);
  }

  #valueAt(number: number): ValueFact | undefined {
    const fact = this.#records.facts[number];
    return fact?.[0] === 'value' ? fact : undefined;
  }

  #exposed(number: number, fact: ValueFact, written: number): Exposed | undefined {
    const [, namespace, name, entry, text, dataKeyId] = fact;
    const found = this.#waysTo(number, dataKeyId, written);
    if (found === undefined || !this.#isSince(found.from)) return undefined;
    const paths = this.#timeline.paths.get(number) ?? new Set<number>();
    const dropped = this.#current.facts.has(number) ? undefined : this.#timeline.lastDropped.get(number);
    const state = this.#stateOf(number, { fact, paths, written, dropped });
    return {
      ...{ namespace, name, entry, dataKeyId, text, state, branches: [] },
      paths: Array.from(paths, (path) => this.#records.paths[path] ?? '').sort(),
      keys: found.keys,
      written: this.#moment(written),
      from: this.#moment(found.from),
      ...(dropped === undefined ? {} : { until: this.#moment(dropped) }),
    };
  }

  /** Undefined: it is not what is asked for. */
  #waysTo(number: number, dataKeyId: string, written: number): { keys: ExposedTo[]; from: number } | undefined {
    const { select } = this.#query;
    if (select.kind === 'all') return { keys: [], from: written };
    if (select.kind === 'writer') {
      const own = (this.#timeline.bringers.get(number) ?? []).filter((place) =>
        select.isWriter(this.#timeline.commitAt(place)?.oid ?? ''),
      );
      return own[0] === undefined ? undefined : { keys: [], from: own[0] };
    }
    const ways = this.#ways.get(dataKeyId);
    if (ways === undefined) return undefined;
    const places = ways.map(({ place }) => Math.max(place, written));
    const keys = ways.map((way, index) => this.#exposedTo(way, places[index] ?? 0));
    return { keys, from: Math.min(...places) };
  }

  #exposedTo({ kid, recipient }: Way, place: number): ExposedTo {
    const lost = this.#lost.get(kid);
    const from = this.#moment(place);
    if (lost?.through === undefined) return { kid, recipient: lost?.recipient || recipient, from };
    const member = this.#lost.get(lost.through);
    return { kid: lost.through, recipient: member?.recipient ?? '', group: { name: lost.recipient, kid }, from };
  }

  #stateOf(number: number, gone: Gone): Exposed['state'] {
    const { fact, paths } = gone;
    const [, , , , text] = fact;
    const isCurrent = this.#current.facts.has(number);
    const own = this.#successors.of(fact, paths);
    const renamed = isCurrent ? [] : this.#renames.of(gone, own.length > 0);
    let state: Exposed['state'] = isCurrent ? 'live' : 'removed';
    if (own.some(({ rotation }) => rotation.has('public'))) return 'public';
    for (const value of new Set([...own, ...renamed])) {
      if (value.rotation.has('public')) continue;
      const outcome = value.digest === text ? 'same' : this.#query.compared?.outcome(value.digest, text);
      if (outcome === 'same') {
        state = 'live';
        this.#noteLiving(value, 'live');
      } else if (outcome === 'changed') {
        if (state === 'removed') state = 'changed';
      } else {
        if (state !== 'live') state = 'resealed';
        this.#noteLiving(value, 'resealed');
        this.#noteUnproven(value, fact);
      }
    }
    return state;
  }

  #noteLiving(value: CurrentValue, state: Living['state']): void {
    const fact = this.#valueAt(value.fact);
    const key = `${value.path} ${value.fact}`;
    if (fact === undefined || this.#living.get(key)?.state === 'live') return;
    const rotation = (['generate', 'rotator'] as const).find((kind) => value.rotation.has(kind));
    const made = rotation === undefined ? {} : { rotation };
    this.#living.set(key, { ...this.#placeOf(fact, value), state, ...made });
  }

  #noteUnproven(value: CurrentValue, [, namespace, name, entry, text]: ValueFact): void {
    const fact = this.#valueAt(value.fact);
    if (fact === undefined) return;
    this.#unproven.push({ current: this.#placeOf(fact, value), former: { namespace, name, entry, text } });
  }

  #placeOf([, namespace, name, entry, text]: ValueFact, { path }: CurrentValue): Omit<Living, 'state' | 'rotation'> {
    return { namespace, name, entry, text, path: this.#records.paths[path] ?? '' };
  }

  /** Notes the ways to lost keys; returns for each data key to whom it was ever sealed. */
  #readStanzas(): Map<string, Set<string>> {
    const sealedTo = new Map<string, Set<string>>();
    for (const [number, first] of this.#timeline.first) {
      const fact = this.#records.facts[number];
      if (fact?.[0] !== 'stanza') continue;
      const [, dataKeyId, kid, recipient] = fact;
      const names = sealedTo.get(dataKeyId) ?? new Set();
      if (recipient !== '') sealedTo.set(dataKeyId, names.add(recipient));
      const lost = this.#lost.get(kid);
      if (lost === undefined) continue;
      const ways = listOf(this.#ways, dataKeyId);
      const place = Math.max(first, lost.since);
      const known = ways.find((way) => way.kid === kid);
      if (known === undefined) ways.push({ kid, recipient, place });
      else known.place = Math.min(known.place, place);
    }
    return sealedTo;
  }

  #noteBranches(values: Map<number, Exposed>): void {
    const current = new Set(this.#query.current);
    for (const { ref, commit, isBranch } of this.#query.heads) {
      const number = this.#records.commitOf(commit);
      if (!isBranch || number === undefined || current.has(commit)) continue;
      for (const version of filesAt(this.#records, number).values()) {
        for (const fact of factsOfVersion(this.#records, version)) {
          const value = values.get(fact);
          if (value === undefined || value.branches.includes(ref)) continue;
          const state = value.state === 'removed' ? 'elsewhere' : value.state;
          values.set(fact, { ...value, state, branches: [...value.branches, ref] });
        }
      }
    }
  }

  /** Places from which on a commit cannot be older than was asked: what it follows is not. */
  #isSince(place: number): boolean {
    const { since } = this.#query;
    if (since === undefined) return true;
    this.#latest ??= this.#latestClaims();
    return (this.#latest[place] ?? 0) >= since;
  }

  #latest: number[] | undefined;

  #latestClaims(): number[] {
    const { order } = this.#timeline;
    const latest = new Map<number, number>();
    return order.map((number) => {
      const { time = 0, parents = [] } = this.#records.commits[number] ?? {};
      const claim = Math.max(time, ...parents.map((parent) => latest.get(parent) ?? 0));
      latest.set(number, claim);
      return claim;
    });
  }

  #sinceOf(kid: string, since: number): { since?: Moment } {
    const place = this.#keys.revoked.get(kid) ?? (since > 0 ? since : undefined);
    return place === undefined ? {} : { since: this.#moment(place) };
  }

  #ejsonFiles(): number {
    const files = this.#currentCommits.flatMap((commit) => [...filesAt(this.#records, commit).values()]);
    return files.filter((version) => this.#records.versions[version]?.role === 'ejson').length;
  }

  #moment(place: number): Moment {
    const commit = this.#timeline.commitAt(place);
    return {
      commit: commit?.oid ?? '',
      author: commit?.author ?? { name: '', email: '' },
      time: timeText(commit?.time ?? 0),
    };
  }
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** A commit may claim any time; what no calendar has counts as its beginning. */
function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
