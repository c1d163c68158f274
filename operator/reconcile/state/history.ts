import { ancestors } from '../../../core/git/commits/ancestors.ts';
import type { Commit, Repository } from '../../../core/git/repository.ts';

/** A commit and what it descends from, as far as the clone reaches; read once, and no further than it was asked about. */
export class History {
  readonly #seen = new Set<string>();
  readonly #rest: AsyncGenerator<Commit>;

  constructor(repository: Repository, newest: string) {
    this.#rest = ancestors(repository, newest, (oid) => repository.objects.has(oid));
  }

  async has(commit: string): Promise<boolean> {
    if (this.#seen.has(commit)) return true;
    for (let next = await this.#rest.next(); next.done !== true; next = await this.#rest.next()) {
      this.#seen.add(next.value.oid);
      if (next.value.oid === commit) return true;
    }
    return false;
  }
}
