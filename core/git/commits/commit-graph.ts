import { setImmediate } from 'node:timers/promises';
import type { ObjectStore } from '../objects/object-store.ts';
import { commitLinks } from './commit.ts';

/** After so many commits the event loop gets its turn. */
const TURN = 256;

/**
 * What descends from what, for the commits that were asked for. A commit's parents never change, so they are read once: 20,000
 * commits cost half a second of CPU to read and a millisecond to walk. Parents have lower numbers than their children, so that
 * a walk is one pass over an array.
 *
 * Dates are of no use for that: git orders its walks by them, and a skewed one hides a commit from it (see
 * Documentation/technical/commit-graph, "generation number"). Here whoever commits chooses them.
 */
export class CommitGraph {
  readonly #numbers = new Map<string, number>();
  readonly #commits: string[] = [];
  readonly #parents: (readonly number[])[] = [];
  #shallow = '';

  get size(): number {
    return this.#commits.length;
  }

  /**
   * Reads a commit and all that it descends from; returns its number. `shallow`: the commits that count as without parents
   * (git's `shallow` file). Throws `GIT_OBJECT_MISSING` where any other's parent is not there, `GIT_OBJECT_MALFORMED`.
   */
  async load(store: ObjectStore, commit: string, shallow: ReadonlySet<string>): Promise<number> {
    const cut = [...shallow].sort().join();
    if (cut !== this.#shallow) this.truncate(0);
    this.#shallow = cut;
    const stack: { commit: string; parents: readonly string[]; read: number }[] = [];
    const enter = (oid: string): void => {
      if (this.#numbers.has(oid)) return;
      const parents = shallow.has(oid) ? [] : commitLinks(oid, store.read(oid)).parents;
      stack.push({ commit: oid, parents, read: 0 });
    };
    enter(commit);
    for (let steps = 1; ; steps++) {
      const top = stack.at(-1);
      if (top === undefined) break;
      while (this.#numbers.has(top.parents[top.read] ?? '')) top.read++;
      const unknown = top.parents[top.read];
      if (unknown === undefined) {
        this.#add(top.commit, top.parents);
        stack.pop();
      } else {
        enter(unknown);
      }
      if (steps % TURN === 0) await setImmediate();
    }
    return this.#numberOf(commit);
  }

  /** Whether a commit was read, and so all that it descends from. */
  has(commit: string): boolean {
    return this.#numbers.has(commit);
  }

  number(commit: string): number | undefined {
    return this.#numbers.get(commit);
  }

  commit(number: number): string | undefined {
    return this.#commits[number];
  }

  /**
   * Visits what these reach, children before parents, and hands marks down: `visit` gets a commit with the marks that it was given
   * and has from its children, and says which its parents get. It goes on while a commit is to come that is `open`: what lies far
   * below is not walked.
   */
  sweep(
    from: readonly (readonly [commit: number, marks: number])[],
    isOpen: (marks: number) => boolean,
    visit: (commit: number, marks: number) => number,
  ): void {
    const marks = new Uint8Array(Math.max(-1, ...from.map(([commit]) => commit)) + 1);
    let open = 0;
    const mark = (commit: number, more: number): void => {
      const before = marks[commit] ?? 0;
      const after = before | more;
      marks[commit] = after;
      open += Number(after !== 0 && isOpen(after)) - Number(before !== 0 && isOpen(before));
    };
    for (const [commit, more] of from) mark(commit, more);
    for (let commit = marks.length - 1; commit >= 0 && open > 0; commit--) {
      const own = marks[commit] ?? 0;
      if (own === 0) continue;
      if (isOpen(own)) open--;
      const handed = visit(commit, own);
      for (const parent of this.#parents[commit] ?? []) mark(parent, handed);
    }
  }

  /** Forgets what was read after there were `size` of them. */
  truncate(size: number): void {
    for (const commit of this.#commits.slice(size)) this.#numbers.delete(commit);
    this.#commits.length = Math.min(this.#commits.length, size);
    this.#parents.length = this.#commits.length;
  }

  #add(commit: string, parents: readonly string[]): void {
    // While the loop had its turn another walk may have come here first.
    if (this.#numbers.has(commit)) return;
    this.#numbers.set(commit, this.#commits.length);
    this.#commits.push(commit);
    this.#parents.push(parents.map((parent) => this.#numberOf(parent)));
  }

  #numberOf(commit: string): number {
    const number = this.#numbers.get(commit);
    if (number === undefined) throw new RangeError('a commit that was forgotten while it was walked');
    return number;
  }
}
