import { type CurrentValue, type CurrentValues, familyOf } from './current-values.ts';
import type { ValueFact } from './facts.ts';
import type { HistoryFacts } from './history-facts.ts';
import { factsOfVersion, type Timeline } from './timeline.ts';

/** An exposed text that is in its entry no more, by places in the timeline. */
export interface Gone {
  fact: ValueFact;
  /** Numbers. */
  paths: ReadonlySet<number>;
  written: number;
  /** Undefined: it never stood on the current line. */
  dropped: number | undefined;
}

/**
 * Current values under another name that may be an exposed one, sealed anew: a value is bound to its entry, so that whoever renames
 * an entry or a manifest has to seal it again, and nothing in the ciphertext tells.
 */
export class Renames {
  readonly #records: HistoryFacts;
  readonly #timeline: Timeline;
  readonly #current: CurrentValues;
  /** Place of the first text that an entry, or a manifest, ever had. */
  readonly #entries = new Map<string, number>();
  readonly #manifests = new Map<string, number>();
  readonly #arrived = new Map<number, ReadonlySet<number>>();

  constructor(records: HistoryFacts, timeline: Timeline, current: CurrentValues) {
    this.#records = records;
    this.#timeline = timeline;
    this.#current = current;
    for (const [number, place] of timeline.first) {
      const fact = records.facts[number];
      if (fact?.kind !== 'value') continue;
      const { namespace, name, entry } = fact;
      lower(this.#entries, keyOf(namespace, name, familyOf(entry)), place);
      lower(this.#manifests, keyOf(namespace, name), place);
    }
  }

  /** `isReplaced`: the entry has another value now, which is looked at anyway. */
  *of(gone: Gone, isReplaced: boolean): Generator<CurrentValue> {
    const { namespace, name } = gone.fact;
    if (namespace === '') return;
    const here = [
      ...this.#current.ofManifest(namespace, name),
      ...[...gone.paths].flatMap((path) => this.#current.in(path)),
    ];
    for (const value of here) if (this.#mayBeRenamed(gone, value, isReplaced)) yield value;
    if (here.length === 0) yield* this.#ofOtherManifests(gone);
  }

  /** An entry that came later; where nothing has the old name, also one that was given a text while the old one was there. */
  #mayBeRenamed({ fact, written, dropped }: Gone, value: CurrentValue, isReplaced: boolean): boolean {
    const { namespace, name, entry } = fact;
    if (value.namespace === '') return false;
    const isSame = value.namespace === namespace && value.name === name && familyOf(value.entry) === familyOf(entry);
    if (isSame) return false;
    if (this.#isNewEntry(value, written)) return true;
    return (
      !isReplaced &&
      dropped !== undefined &&
      (this.#came(value, written, dropped) || this.#arrivedAt(dropped).has(value.fact))
    );
  }

  #isNewEntry({ namespace, name, entry }: CurrentValue, since: number): boolean {
    return (this.#entries.get(keyOf(namespace, name, familyOf(entry))) ?? 0) > since;
  }

  /** New entries that came when it went, and of manifests that came while it was there what has its entry's name. */
  *#ofOtherManifests({ fact: { namespace, entry }, written, dropped }: Gone): Generator<CurrentValue> {
    if (dropped === undefined) return;
    const arrived = this.#arrivedAt(dropped);
    for (const value of this.#current.all()) {
      if (value.namespace === '') continue;
      const first = this.#manifests.get(keyOf(value.namespace, value.name)) ?? 0;
      const isNew = first > written && first <= dropped;
      const isSameEntry = value.namespace === namespace && familyOf(value.entry) === familyOf(entry);
      if ((arrived.has(value.fact) && this.#isNewEntry(value, written)) || (isNew && isSameEntry)) yield value;
    }
  }

  #came({ fact }: CurrentValue, written: number, dropped: number): boolean {
    const first = this.#timeline.first.get(fact) ?? 0;
    return first > written && first <= dropped;
  }

  /** What a commit has and its first parent had not: of a merge all that it brought to the line. */
  #arrivedAt(place: number): ReadonlySet<number> {
    const known = this.#arrived.get(place);
    if (known !== undefined) return known;
    const before = new Set<number>();
    const after = new Set<number>();
    for (const change of this.#timeline.order.commitAt(place)?.changes ?? []) {
      for (const fact of factsOfVersion(this.#records, change.before)) before.add(fact);
      for (const fact of factsOfVersion(this.#records, change.after)) after.add(fact);
    }
    const arrived = after.difference(before);
    this.#arrived.set(place, arrived);
    return arrived;
  }
}

function lower(places: Map<string, number>, key: string, place: number): void {
  places.set(key, Math.min(place, places.get(key) ?? place));
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
