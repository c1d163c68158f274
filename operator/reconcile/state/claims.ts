import type { Key } from '../../project/namespaced-name.ts';
import type { Claim } from './claim.ts';

/** Which manifests want which (namespace, name): of all sources, those that are sealed to this cluster. */
export class Claims {
  readonly #byKey = new Map<Key, Set<Claim>>();
  readonly #all = new Set<Claim>();

  /** Returns whether it was not there. */
  add(claim: Claim): boolean {
    if (this.#all.has(claim)) return false;
    this.#all.add(claim);
    for (const key of claim.keys) {
      const claims = this.#byKey.get(key);
      if (claims === undefined) this.#byKey.set(key, new Set([claim]));
      else claims.add(claim);
    }
    return true;
  }

  /** Returns whether it was there. */
  remove(claim: Claim): boolean {
    if (!this.#all.delete(claim)) return false;
    for (const key of claim.keys) {
      const claims = this.#byKey.get(key);
      claims?.delete(claim);
      if (claims?.size === 0) this.#byKey.delete(key);
    }
    return true;
  }

  to(key: Key): Claim[] {
    return [...(this.#byKey.get(key) ?? [])];
  }

  keys(): IterableIterator<Key> {
    return this.#byKey.keys();
  }
}
