import type { CurrentValue, CurrentValues } from './current-values.ts';
import type { Comparisons, Exposed, ExposureState, Living, Unproven } from './exposure.ts';
import type { ValueFact } from './facts.ts';
import type { HistoryFacts } from './history-facts.ts';
import type { Gone, Renames } from './renames.ts';
import type { Successors } from './successors.ts';

export interface StatesParts {
  facts: HistoryFacts;
  current: CurrentValues;
  successors: Successors;
  renames: Renames;
  compared: Comparisons | undefined;
}

/** What became of exposed values: which current ones may be the same, as far as nobody has proven that they are others. */
export class States {
  readonly unproven: Unproven[] = [];
  readonly #parts: StatesParts;
  /** By path and fact. */
  readonly #living = new Map<string, Living>();

  constructor(parts: StatesParts) {
    this.#parts = parts;
  }

  /** Of all values that were asked about. */
  get living(): Living[] {
    return [...this.#living.values()];
  }

  /** @param number of the fact */
  of(number: number, gone: Gone): Exclude<ExposureState, 'elsewhere'> {
    const { current, successors, renames, compared } = this.#parts;
    const { fact, paths } = gone;
    const isCurrent = current.facts.has(number);
    const own = successors.of(fact, paths);
    if (own.some(({ rotation }) => rotation.has('public'))) return 'public';
    const renamed = isCurrent ? [] : renames.of(gone, own.length > 0);
    let state: Exclude<Exposed['state'], 'elsewhere'> = isCurrent ? 'live' : 'removed';
    for (const value of new Set([...own, ...renamed])) {
      if (value.rotation.has('public')) continue;
      const outcome = value.digest === fact.text ? 'same' : compared?.outcome(value.digest, fact.text);
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
    const key = `${value.path} ${value.fact}`;
    if (this.#living.get(key)?.state === 'live') return;
    const rotation = (['generate', 'rotator'] as const).find((kind) => value.rotation.has(kind));
    const made = rotation === undefined ? {} : { rotation };
    this.#living.set(key, { ...this.#placeOf(value), state, ...made });
  }

  #noteUnproven(value: CurrentValue, { namespace, name, entry, text }: ValueFact): void {
    this.unproven.push({ current: this.#placeOf(value), former: { namespace, name, entry, text } });
  }

  #placeOf({ namespace, name, entry, digest: text, path }: CurrentValue): Omit<Living, 'state' | 'rotation'> {
    return { namespace, name, entry, text, path: this.#parts.facts.paths[path] ?? '' };
  }
}
