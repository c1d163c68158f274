import type { ReachableNamespaces } from './namespaces.ts';

/** Which namespaces came, went or began to terminate between two looks. */
export class NamespaceChanges {
  readonly #namespaces: ReachableNamespaces;
  #seen: ReadonlyMap<string, boolean>;

  constructor(namespaces: ReachableNamespaces) {
    this.#namespaces = namespaces;
    this.#seen = this.#look();
  }

  take(): Set<string> {
    const before = this.#seen;
    this.#seen = this.#look();
    const all = new Set([...before.keys(), ...this.#seen.keys()]);
    return new Set([...all].filter((name) => before.get(name) !== this.#seen.get(name)));
  }

  /** Name → whether it is terminating. */
  #look(): Map<string, boolean> {
    const names = [...this.#namespaces.names()];
    return new Map(names.map((name) => [name, this.#namespaces.isTerminating?.(name) === true]));
  }
}
