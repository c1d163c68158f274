import { entryOfPrevious } from '../format/manifest/rotation.ts';
import type { RotationKind } from './facts.ts';
import type { HistoryFacts } from './history-facts.ts';
import { factsOfVersion, filesAt } from './timeline.ts';

/** A sealed text that stands in an entry now. */
export interface CurrentValue {
  /** Number of its fact. */
  fact: number;
  digest: string;
  entry: string;
  /** Empty where the file cannot be read as manifests. */
  namespace: string;
  /** Number. */
  path: number;
  name: string;
  /** What the manifest says of the entry: that it is no secret, or who makes its value. */
  rotation: ReadonlySet<RotationKind>;
  /** That the manifest lists: empty where the file cannot be read. */
  recipients: ReadonlySet<string>;
}

/** An entry and what keeps its former value are one for exposure: a former value that is still there still lives. */
export function familyOf(entry: string): string {
  return entryOfPrevious(entry) ?? entry;
}

/** What stands in the current commits. */
export class CurrentValues {
  readonly facts = new Set<number>();
  readonly digests = new Set<string>();
  readonly #byPlace = new Map<string, CurrentValue[]>();
  readonly #byPath = new Map<number, CurrentValue[]>();
  readonly #byManifest = new Map<string, CurrentValue[]>();

  /** `instead`: path → the version that counts there, or none, whatever the commits have. */
  constructor(records: HistoryFacts, commits: readonly number[], instead: ReadonlyMap<number, number | undefined>) {
    for (const commit of commits) {
      for (const [path, version] of filesAt(records, commit)) {
        if (!instead.has(path)) this.#take(records, path, version);
      }
    }
    for (const [path, version] of instead) if (version !== undefined) this.#take(records, path, version);
  }

  /** Of the entry, in any manifest of that name. */
  at(namespace: string, name: string, entry: string): readonly CurrentValue[] {
    return this.#byPlace.get(placeKey(namespace, name, entry)) ?? [];
  }

  ofManifest(namespace: string, name: string): readonly CurrentValue[] {
    return this.#byManifest.get(JSON.stringify([namespace, name])) ?? [];
  }

  in(path: number): readonly CurrentValue[] {
    return this.#byPath.get(path) ?? [];
  }

  *all(): Generator<CurrentValue> {
    for (const values of this.#byPath.values()) yield* values;
  }

  #take(records: HistoryFacts, path: number, version: number): void {
    const facts = factsOfVersion(records, version).map((number) => ({ number, fact: records.facts[number] }));
    const lists = new Map<string, Set<string>>();
    for (const { fact } of facts) {
      if (fact?.kind !== 'lists') continue;
      const key = JSON.stringify([fact.namespace, fact.name]);
      lists.set(key, (lists.get(key) ?? new Set()).add(fact.recipient));
    }
    const rotations = new Map<string, Set<RotationKind>>();
    for (const { fact } of facts) {
      if (fact?.kind !== 'rotation') continue;
      const key = placeKey(fact.namespace, fact.name, fact.entry);
      rotations.set(key, (rotations.get(key) ?? new Set()).add(fact.says));
    }
    for (const { number, fact } of facts) {
      if (fact?.kind !== 'value') continue;
      const { namespace, name, entry, text: digest } = fact;
      const rotation = rotations.get(placeKey(namespace, name, entry)) ?? new Set();
      const recipients = lists.get(JSON.stringify([namespace, name])) ?? new Set();
      const value = { fact: number, digest, entry, namespace, name, path, rotation, recipients };
      this.facts.add(number);
      this.digests.add(digest);
      push(this.#byPath, path, value);
      if (namespace === '') continue;
      push(this.#byPlace, placeKey(namespace, name, entry), value);
      push(this.#byManifest, JSON.stringify([namespace, name]), value);
    }
  }
}

function placeKey(namespace: string, name: string, entry: string): string {
  return JSON.stringify([namespace, name, familyOf(entry)]);
}

function push<Key>(lists: Map<Key, CurrentValue[]>, key: Key, value: CurrentValue): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
