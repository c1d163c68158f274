import type { CommitFacts } from './history-facts.ts';
import { listOf } from './list-of.ts';

/**
 * All that these commits reach, in an order that depends on the history alone: parents before children, and among those that could
 * be next the one that claims to be the oldest. So a commit with a false date moves nothing but itself and what follows it.
 */
export function orderOf(commits: readonly CommitFacts[], heads: Iterable<number>): number[] {
  const reached = reachedFrom(commits, heads);
  const waiting = new Uint32Array(commits.length);
  const children = new Map<number, number[]>();
  const ready = new Queue((a, b) => isOlder(commits[a], commits[b]));
  for (const number of reached) {
    const parents = new Set(commits[number]?.parents);
    waiting[number] = parents.size;
    for (const parent of parents) listOf(children, parent).push(number);
    if (parents.size === 0) ready.push(number);
  }
  const order: number[] = [];
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    order.push(next);
    for (const child of children.get(next) ?? []) {
      const left = (waiting[child] ?? 0) - 1;
      waiting[child] = left;
      if (left === 0) ready.push(child);
    }
  }
  return order;
}

export function reachedFrom(commits: readonly CommitFacts[], heads: Iterable<number>): Set<number> {
  const reached = new Set(heads);
  // A set goes on to what is added while it is walked.
  for (const number of reached) for (const parent of commits[number]?.parents ?? []) reached.add(parent);
  return reached;
}

function isOlder(a: CommitFacts | undefined, b: CommitFacts | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.time === b.time ? a.oid < b.oid : a.time < b.time;
}

/** A binary heap: the first by `isBefore` is popped first. */
class Queue {
  readonly #heap: number[] = [];
  readonly #isBefore: (a: number, b: number) => boolean;

  constructor(isBefore: (a: number, b: number) => boolean) {
    this.#isBefore = isBefore;
  }

  push(item: number): void {
    let at = this.#heap.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(item, this.#at(above))) break;
      this.#heap[at] = this.#at(above);
      at = above;
    }
    this.#heap[at] = item;
  }

  pop(): number | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= this.#heap.length) break;
      if (below + 1 < this.#heap.length && this.#isBefore(this.#at(below + 1), this.#at(below))) below++;
      if (!this.#isBefore(this.#at(below), last)) break;
      this.#heap[at] = this.#at(below);
      at = below;
    }
    this.#heap[at] = last;
    return first;
  }

  #at(index: number): number {
    return this.#heap[index] ?? -1;
  }
}
