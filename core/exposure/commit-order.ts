import type { CommitFacts, HistoryFacts } from './history-facts.ts';
import { type Moment, momentOf } from './moment.ts';
import { orderOf, reachedFrom } from './topological-order.ts';

/** All commits whose history counts, parents before children, and which of them the current line has. */
export class CommitOrder {
  /** Numbers of commits, by place. */
  readonly numbers: readonly number[];
  readonly #records: HistoryFacts;
  readonly #current: ReadonlySet<number>;

  /** `heads`: numbers of all commits whose history counts; `current`: those whose line is the current one. */
  constructor(records: HistoryFacts, { heads, current }: { heads: readonly number[]; current: readonly number[] }) {
    this.#records = records;
    this.numbers = orderOf(records.commits, [...heads, ...current]);
    this.#current = reachedFrom(records.commits, current);
  }

  commitAt(place: number): CommitFacts | undefined {
    return this.#records.commits[this.numbers[place] ?? -1];
  }

  momentAt(place: number): Moment {
    return momentOf(this.commitAt(place));
  }

  isCurrent(place: number): boolean {
    return this.#current.has(this.numbers[place] ?? -1);
  }
}
