import { Turns } from '../turns.ts';
import { CommitOrder } from './commit-order.ts';
import { CurrentValues } from './current-values.ts';
import type { Exposed, ExposureQuery, ExposureReport } from './exposure.ts';
import type { ValueFact } from './facts.ts';
import type { HistoryFacts } from './history-facts.ts';
import { KeysOfHistory, type LostKey } from './lost-keys.ts';
import type { Moment } from './moment.ts';
import { Renames } from './renames.ts';
import { isOfLineAlone, lostOnLine, selectedKeys } from './selected-keys.ts';
import { States } from './states.ts';
import { Successors } from './successors.ts';
import { factsOfVersion, filesAt, Timeline } from './timeline.ts';
import { Ways } from './ways.ts';

/**
 * What somebody could have read, by docs/format.md, "Exposure": a function of the history alone, so that everybody who has the
 * repository gets the same answer. `facts` hold all that the heads reach (read-history.ts).
 */
export async function findExposure(facts: HistoryFacts, query: ExposureQuery): Promise<ExposureReport> {
  const turns = new Turns(query.signal);
  const numbers = (oids: readonly string[]) => oids.flatMap((oid) => facts.commitOf(oid) ?? []);
  const current = numbers(query.current);
  const heads = numbers(query.heads.map(({ commit }) => commit));
  const order = new CommitOrder(facts, { heads, current });
  const searched = searchedIn(facts, order, current);
  const onLine = lostOnLine(query, { records: facts, order, current });
  if (onLine.size === 0 && isOfLineAlone(query.select)) {
    return { values: [], living: [], unproven: [], keys: [], ...searched };
  }
  const timeline = await Timeline.read(facts, order, turns);
  return { ...(await new Search({ facts, query, timeline, current, onLine }).report(turns)), ...searched };
}

type Searched = Pick<ExposureReport, 'commits' | 'gaps' | 'ejsonFiles'>;

function searchedIn(facts: HistoryFacts, { numbers }: CommitOrder, current: readonly number[]): Searched {
  const files = current.flatMap((commit) => [...filesAt(facts, commit).values()]);
  return {
    commits: numbers.length,
    gaps: numbers.flatMap((number) => {
      const { oid = '', gap } = facts.commits[number] ?? {};
      return gap === undefined ? [] : [{ commit: oid, code: gap }];
    }),
    ejsonFiles: files.filter((version) => facts.versions[version]?.role === 'ejson').length,
  };
}

interface SearchParts {
  facts: HistoryFacts;
  query: ExposureQuery;
  timeline: Timeline;
  /** Numbers of commits. */
  current: readonly number[];
  /** Keys that the current line tells to be lost. */
  onLine: ReturnType<typeof lostOnLine>;
}

class Search {
  readonly #parts: SearchParts;
  readonly #keys: KeysOfHistory;
  readonly #current: CurrentValues;
  readonly #lost: ReadonlyMap<string, LostKey>;
  readonly #ways: Ways;
  readonly #states: States;

  constructor(parts: SearchParts) {
    const { facts, query, timeline, current, onLine } = parts;
    this.#parts = parts;
    this.#keys = new KeysOfHistory(facts, timeline);
    this.#current = new CurrentValues(facts, current, query.instead ?? new Map());
    this.#lost = selectedKeys(query.select, onLine, this.#keys);
    this.#ways = new Ways({ facts, query, timeline, lost: this.#lost });
    const successors = new Successors(this.#current, this.#keys, this.#ways.sealedTo);
    const renames = new Renames(facts, timeline, this.#current);
    this.#states = new States({ facts, current: this.#current, successors, renames, compared: query.compared });
  }

  async report(turns: Turns): Promise<Omit<ExposureReport, keyof Searched>> {
    const values = await this.#values(turns);
    this.#noteBranches(values);
    return {
      values: [...values.values()],
      living: this.#states.living,
      unproven: this.#states.unproven,
      keys: Array.from(this.#lost.values(), ({ since, ...key }) => ({ ...key, ...this.#sinceOf(key.kid, since) })),
    };
  }

  /** Number of the fact → what became of it. */
  async #values(turns: Turns): Promise<Map<number, Exposed>> {
    const values = new Map<number, Exposed>();
    if (!this.#ways.isAnyPossible) return values;
    const inOrder = this.#valuesInOrder();
    const readable = new Set(inOrder.flatMap(({ fact }) => (fact.namespace === '' ? [] : [fact.text])));
    for (const { number, place, fact } of inOrder) {
      await turns.next();
      // Of a text that stood in a manifest, other places (a comment, a file with conflict markers) say nothing more.
      if (fact.namespace === '' && readable.has(fact.text)) continue;
      const exposed = this.#exposed(number, fact, place);
      if (exposed !== undefined) values.set(number, exposed);
    }
    return values;
  }

  /** By name, then by age: the same whatever was read first. */
  #valuesInOrder(): { number: number; place: number; fact: ValueFact }[] {
    const { facts, timeline } = this.#parts;
    const values = [...timeline.first].flatMap(([number, place]) => {
      const fact = facts.facts[number];
      if (fact?.kind !== 'value') return [];
      return { number, place, fact, key: JSON.stringify([fact.namespace, fact.name, fact.entry]) };
    });
    const textOf = ({ text, dataKeyId }: ValueFact) => `${text} ${dataKeyId}`;
    return values.sort((a, b) => compare(a.key, b.key) || a.place - b.place || compare(textOf(a.fact), textOf(b.fact)));
  }

  #exposed(number: number, fact: ValueFact, written: number): Exposed | undefined {
    const { facts, timeline } = this.#parts;
    const ways = this.#ways.to(number, fact, written);
    if (ways === undefined) return undefined;
    const { namespace, name, entry, text, dataKeyId } = fact;
    const paths = timeline.paths.get(number) ?? new Set<number>();
    const dropped = this.#current.facts.has(number) ? undefined : timeline.lastDropped.get(number);
    const state = this.#states.of(number, { fact, paths, written, dropped });
    return {
      ...{ namespace, name, entry, dataKeyId, text, state, branches: [] },
      paths: Array.from(paths, (path) => facts.paths[path] ?? '').sort(),
      keys: ways.keys,
      written: timeline.order.momentAt(written),
      from: timeline.order.momentAt(ways.from),
      ...(dropped === undefined ? {} : { until: timeline.order.momentAt(dropped) }),
    };
  }

  #noteBranches(values: Map<number, Exposed>): void {
    const { facts, query } = this.#parts;
    const current = new Set(query.current);
    for (const { ref, commit, isBranch } of query.heads) {
      const number = facts.commitOf(commit);
      if (!isBranch || number === undefined || current.has(commit)) continue;
      for (const version of filesAt(facts, number).values()) {
        for (const fact of factsOfVersion(facts, version)) {
          const value = values.get(fact);
          if (value === undefined || value.branches.includes(ref)) continue;
          const state = value.state === 'removed' ? 'elsewhere' : value.state;
          values.set(fact, { ...value, state, branches: [...value.branches, ref] });
        }
      }
    }
  }

  #sinceOf(kid: string, since: number): { since?: Moment } {
    const place = this.#keys.revoked.get(kid) ?? (since > 0 ? since : undefined);
    return place === undefined ? {} : { since: this.#parts.timeline.order.momentAt(place) };
  }
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
