import type { Key } from '../../project/namespaced-name.ts';

/** `commit`: a new state asks for it. `restore`: nothing in git changed; what should be there is put back. */
export type Reason = 'commit' | 'restore';

export interface Item {
  home: Key;
  reason: Reason;
}

/** Secrets that wait for work, each once. What a new commit changed goes ahead of what is only put back. */
export class Queue {
  readonly #commit = new Set<Key>();
  readonly #restore = new Set<Key>();

  /** Being put back is the wider task: a secret that waits for that stays there, but goes ahead. */
  add(home: Key, reason: Reason): void {
    if (reason === 'commit') this.#commit.add(home);
    else this.#restore.add(home);
  }

  has(home: Key): boolean {
    return this.#commit.has(home) || this.#restore.has(home);
  }

  homes(): Key[] {
    return [...this.#commit, ...this.#restore];
  }

  /** At most `count`, and none of the second kind together with one of the first. */
  take(count: number): Item[] {
    const from = this.#commit.size > 0 ? this.#commit : this.#restore;
    const items: Item[] = [];
    for (const home of from) {
      if (items.length === count) break;
      from.delete(home);
      items.push({ home, reason: this.#restore.delete(home) || from === this.#restore ? 'restore' : 'commit' });
    }
    return items;
  }
}
