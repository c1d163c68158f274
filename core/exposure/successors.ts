import type { CurrentValue, CurrentValues } from './current-values.ts';
import { familyOf } from './current-values.ts';
import type { ValueFact } from './facts.ts';
import type { KeysOfHistory } from './lost-keys.ts';

/** Which current values may be what a former one became: those may hold the same plaintext, until they were compared. */
export class Successors {
  readonly #current: CurrentValues;
  readonly #keys: KeysOfHistory;
  /** Data key id → names that it was ever sealed to. */
  readonly #sealedTo: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(current: CurrentValues, keys: KeysOfHistory, sealedTo: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#current = current;
    this.#keys = keys;
    this.#sealedTo = sealedTo;
  }

  /**
   * Those of the same entry in a manifest of the same name. One name may be a secret of several clusters, in a file each: another
   * file is another secret where no cluster was ever to open both. Where a file cannot be read, what stands in its place counts.
   */
  of({ namespace, name, entry, dataKeyId }: ValueFact, paths: ReadonlySet<number>): CurrentValue[] {
    const found = new Set<CurrentValue>();
    if (namespace !== '') {
      for (const value of this.#current.at(namespace, name, entry)) {
        if (paths.has(value.path) || this.#shareCluster(dataKeyId, value)) found.add(value);
      }
    }
    for (const path of paths) {
      for (const value of this.#current.in(path)) {
        const isUnread = namespace === '' || value.namespace === '';
        if (isUnread && mayBeSame(entry, value.entry)) found.add(value);
      }
    }
    return [...found];
  }

  #shareCluster(dataKeyId: string, { recipients }: CurrentValue): boolean {
    const sealedTo = this.#sealedTo.get(dataKeyId);
    const [then, now] = [this.#clusters(sealedTo ?? new Set()), this.#clusters(recipients)];
    // Where one of them is for people alone, or cannot be read, nothing tells them apart.
    return then.size === 0 || now.size === 0 || !then.isDisjointFrom(now);
  }

  /** With those that are members of groups. */
  #clusters(names: ReadonlySet<string>): Set<string> {
    const all = new Set(names);
    for (const name of names) for (const member of this.#keys.members.get(name) ?? []) all.add(member);
    return new Set([...all].filter((name) => this.#mayBeCluster(name)));
  }

  /** People and recovery keys are recipients of the secrets of several clusters. */
  #mayBeCluster(name: string): boolean {
    const types = this.#keys.types.get(name);
    return types === undefined || [...types].some((type) => type !== 'person' && type !== 'recovery');
  }
}

function mayBeSame(entry: string, other: string): boolean {
  return entry === '' || other === '' || familyOf(entry) === familyOf(other);
}
