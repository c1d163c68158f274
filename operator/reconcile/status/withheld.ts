import type { CofferError } from '../../../core/errors.ts';
import type { Key } from '../../project/namespaced-name.ts';
import type { HeldPath } from '../../trust/held-path.ts';

/** Secrets whose newest manifest is not taken by the rules of their source: what is projected is the last that was. */
export class Withheld {
  readonly #bySource = new Map<string, ReadonlyMap<Key, HeldPath>>();

  /** Replaces what is known of a source; returns the homes of which something else is true now. */
  set(source: string, held: ReadonlyMap<Key, HeldPath>): Key[] {
    const before = this.#bySource.get(source) ?? new Map<Key, HeldPath>();
    this.#bySource.set(source, held);
    const homes = new Set([...before.keys(), ...held.keys()]);
    return [...homes].filter((home) => textOf(before.get(home)) !== textOf(held.get(home)));
  }

  get(home: Key): CofferError | undefined {
    for (const held of this.#bySource.values()) {
      const path = held.get(home);
      if (path !== undefined) return path.error.at({ commit: path.commit, file: path.path });
    }
    return undefined;
  }

  *homes(): Generator<Key> {
    for (const held of this.#bySource.values()) yield* held.keys();
  }
}

function textOf(held: HeldPath | undefined): string {
  return held === undefined ? '' : JSON.stringify([held.commit, held.path, held.error.code, held.error.message]);
}
